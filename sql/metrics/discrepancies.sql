-- Discrepancies of the last reconciliation, by class and kind.
SELECT class, kind, count(*) FROM finding.discrepancy
WHERE review_id = (SELECT max(review_id) FROM finding.review WHERE about = 'reconciliation')
GROUP BY class, kind
