-- What the last compliance review found and can still be mended, nearest first: by standing and rule, how many, and the
-- nearest last day. What was met late is over, and stands in the counts.
SELECT standing, rule, count(*)::integer, coalesce(sum(records), 0)::integer, min(last_day),
       string_agg(DISTINCT run_code, ', ' ORDER BY run_code)
FROM finding.every_deadline
WHERE review_id = (SELECT max(review_id) FROM finding.review WHERE about = 'compliance') AND standing <> 'met late'
GROUP BY standing, rule
ORDER BY array_position(ARRAY['near', 'missed', 'warning', 'breach'], standing), min(last_day), rule
LIMIT 12
