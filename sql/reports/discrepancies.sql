-- Discrepancies of a review, in the order in which a person should look at them.
SELECT class, kind, key, ssg_ref, field, ours, theirs, since, what_to_do, changed_by, comparison
FROM finding.discrepancy
WHERE review_id = %(review_id)s
ORDER BY array_position(ARRAY['unknown outcome', 'duplicated there', 'dead letter', 'missing there',
                              'not shown there', 'differs', 'missing here', 'withheld', 'waiting', 'not read'], class) NULLS LAST,
         class, kind, key NULLS LAST, ssg_ref NULLS LAST, field NULLS LAST
