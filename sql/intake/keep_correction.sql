-- A row of a corrected sheet is tied to the rejected row that it names, if there is exactly one of that number among the
-- tables of these kinds.
INSERT INTO intake.row_corrects (upload_id, table_no, row_number, corrects_upload, corrects_table, corrects_row)
SELECT %(upload_id)s, %(table_no)s, %(row)s, l.upload_id, min(l.table_no), l.row_number
FROM intake.landing_row l
JOIN intake.landing_table t USING (upload_id, table_no)
WHERE l.upload_id = %(corrects)s AND l.row_number = %(theirs)s AND l.status = 'rejected' AND t.kinds = %(kinds)s::text[]
  AND l.upload_id <> %(upload_id)s
GROUP BY l.upload_id, l.row_number
HAVING count(*) = 1
