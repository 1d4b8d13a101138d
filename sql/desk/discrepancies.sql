-- What the last reconciliation found, by class and kind.
SELECT class, kind, count(*)::integer, min(since)::date
FROM finding.discrepancy
WHERE review_id = (SELECT max(review_id) FROM finding.review WHERE about = 'reconciliation')
GROUP BY class, kind
ORDER BY count(*) DESC, class, kind
LIMIT 30
