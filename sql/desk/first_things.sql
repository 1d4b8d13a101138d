-- What the last compliance review found, worst first: by standing and rule, how many, and the nearest last day.
SELECT standing, rule, count(*)::integer, coalesce(sum(records), 0)::integer, min(last_day),
       string_agg(DISTINCT run_code, ', ' ORDER BY run_code)
FROM finding.deadline
WHERE review_id = (SELECT max(review_id) FROM finding.review WHERE about = 'compliance')
GROUP BY standing, rule
ORDER BY array_position(ARRAY['near', 'missed', 'warning', 'breach', 'met late'], standing), min(last_day), rule
LIMIT 12
