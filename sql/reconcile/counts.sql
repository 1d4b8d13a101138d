-- Discrepancies of a review by class and kind: a record that differs in three fields is one with three lines.
SELECT class, kind, count(DISTINCT (key, ssg_ref, CASE WHEN kind = 'course' THEN field END))
FROM finding.discrepancy
WHERE review_id = %(review)s
GROUP BY class, kind
ORDER BY class, kind
