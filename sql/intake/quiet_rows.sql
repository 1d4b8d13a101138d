-- Rows of an upload of which some record may have changed nothing when they came: a row of several kinds is accepted if
-- one of its records was new or changed.
SELECT l.table_no, l.row_number
FROM intake.landing_row l
JOIN intake.landing_table t USING (upload_id, table_no)
WHERE l.upload_id = %(upload_id)s
  AND (l.status IN ('unchanged', 'superseded') OR l.status = 'accepted' AND cardinality(t.kinds) > 1)
