-- The lines of a review, what needs a person first.
SELECT class, kind, key, ssg_ref, field, ours, theirs, changed_by, since, what_to_do
FROM finding.discrepancy
WHERE review_id = %(review)s
ORDER BY array_position(ARRAY['unknown outcome', 'duplicated there', 'dead letter', 'missing there',
                              'not shown there', 'differs', 'missing here', 'withheld', 'waiting', 'not read'], class) NULLS LAST,
         kind, key NULLS LAST, ssg_ref NULLS LAST, field NULLS LAST
LIMIT %(first)s
