-- Discrepancies by day and class: the last review of each day of a month that had one.
WITH last_of_day AS (
    SELECT DISTINCT ON (as_of) as_of, review_id
    FROM finding.review
    WHERE about = 'reconciliation' AND as_of >= %(first)s AND as_of < %(next)s
    ORDER BY as_of, review_id DESC
)
SELECT last_of_day.as_of, d.class, count(d.review_id)
FROM last_of_day
LEFT JOIN finding.discrepancy d USING (review_id)
GROUP BY last_of_day.as_of, d.class
ORDER BY last_of_day.as_of, d.class
