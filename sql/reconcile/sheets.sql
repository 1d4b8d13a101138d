-- Sheet rows of the last days that are not in the registers as they were typed. A rejected row is answered when a row
-- that was taken, or found unchanged, says it again: every natural key of it in an upload that came later, or the row
-- that a corrected sheet names as it. What is not known for certain is shown.
CREATE TEMP TABLE unanswered ON COMMIT DROP AS
SELECT l.upload_id, l.table_no, l.row_number, l.waiting, l.note, t.sheet, t.kinds, u.state, u.received_at
FROM intake.upload u
JOIN intake.landing_row l USING (upload_id)
JOIN intake.landing_table t ON t.upload_id = l.upload_id AND t.table_no = l.table_no
WHERE u.received_at >= %(since)s AND u.state <> 'undone' AND l.status = 'rejected'
  AND NOT EXISTS (
      SELECT FROM intake.row_corrects c
      JOIN intake.upload cu ON cu.upload_id = c.upload_id AND cu.state = 'taken in'
      JOIN intake.landing_row a ON a.upload_id = c.upload_id AND a.table_no = c.table_no AND a.row_number = c.row_number
      WHERE c.corrects_upload = l.upload_id AND c.corrects_table = l.table_no AND c.corrects_row = l.row_number
        AND a.status IN ('accepted', 'unchanged'))
  AND coalesce((
      SELECT bool_or(NOT EXISTS (
          SELECT FROM intake.row_key s
          JOIN intake.upload su ON su.upload_id = s.upload_id AND su.state = 'taken in' AND su.received_at > u.received_at
          JOIN intake.landing_row a
            ON a.upload_id = s.upload_id AND a.table_no = s.table_no AND a.row_number = s.row_number
          WHERE s.kind = k.kind AND s.key_mark = k.key_mark AND a.status IN ('accepted', 'unchanged')))
      FROM intake.row_key k
      WHERE k.upload_id = l.upload_id AND k.table_no = l.table_no AND k.row_number = l.row_number), true)
