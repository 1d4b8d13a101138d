-- Findings of a review grouped by standing and rule: what can still be saved first, then what is lost or broken.
SELECT standing, rule, count(*) AS findings, sum(records)::bigint AS records, sum(money) AS money,
       min(last_day) AS first_last_day,
       (array_agg(DISTINCT run_code))[1:5] AS runs, count(DISTINCT run_code) AS run_count,
       (array_agg(sentence ORDER BY last_day NULLS LAST, run_code, key))[1] AS sentence,
       (array_agg(what_to_do ORDER BY last_day NULLS LAST, run_code, key))[1] AS what_to_do
FROM finding.every_deadline
WHERE review_id = %(review_id)s AND standing IN ('near', 'missed', 'breach')
GROUP BY standing, rule
ORDER BY array_position(ARRAY['near', 'missed', 'breach'], standing), min(last_day) NULLS LAST, rule
