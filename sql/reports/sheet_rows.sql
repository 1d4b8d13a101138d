-- Sheet rows that are not in the registers as they were typed, by the review that is shown.
SELECT s.class, array_to_string(s.kinds, ', '), s.upload_id, u.file_name, s.sheet, s.row_number, s.field, s.code,
       s.sentence, s.since, s.what_to_do
FROM finding.sheet_row s
LEFT JOIN intake.upload u ON u.upload_id = s.upload_id
WHERE s.review_id = %(review_id)s
ORDER BY s.since, s.upload_id, s.sheet NULLS FIRST, s.row_number NULLS FIRST, s.field NULLS FIRST, s.code NULLS FIRST
