-- What is not at SSG by the last compliance review, by rule, kind and run, with its first last day.
SELECT d.rule, d.kind, d.run_code, min(d.last_day), sum(d.records)::integer, sum(d.money)
FROM finding.deadline d
WHERE d.review_id = (SELECT max(review_id) FROM finding.review WHERE about = 'compliance')
  AND d.standing IN ('missed', 'near') AND d.last_day IS NOT NULL AND d.run_code IS NOT NULL AND d.trainee_ref IS NULL
GROUP BY d.rule, d.kind, d.run_code
ORDER BY min(d.last_day), d.run_code, d.rule, d.kind
