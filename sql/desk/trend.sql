-- Discrepancies of the last 30 nights: the last reconciliation of each day.
SELECT r.as_of, (SELECT count(*)::integer FROM finding.discrepancy d WHERE d.review_id = r.review_id)
FROM finding.review r
WHERE r.review_id IN (
    SELECT max(review_id) FROM finding.review WHERE about = 'reconciliation' GROUP BY as_of)
ORDER BY r.as_of DESC
LIMIT 30
