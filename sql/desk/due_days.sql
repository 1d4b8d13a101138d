-- How many records are late, or due in the next two weeks, by days left.
SELECT last_day, sum(records)::integer
FROM finding.deadline
WHERE review_id = (SELECT max(review_id) FROM finding.review WHERE about = 'compliance')
  AND standing IN ('missed', 'near') AND last_day IS NOT NULL
GROUP BY last_day
ORDER BY last_day
