-- Discrepancies of a review by class and kind.
SELECT class, kind, count(*)
FROM finding.discrepancy
WHERE review_id = %(review_id)s
GROUP BY class, kind
ORDER BY class, kind
