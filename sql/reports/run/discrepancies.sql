-- Discrepancies of a review about one run.
SELECT class, kind, key, ssg_ref, field, ours, theirs, since, what_to_do, changed_by
FROM finding.discrepancy
WHERE review_id = %(review_id)s AND split_part(key, '|', 1) = %(run)s AND kind <> 'trainer'
ORDER BY class, kind, key, ssg_ref NULLS LAST, field NULLS LAST
