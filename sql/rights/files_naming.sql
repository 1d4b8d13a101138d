-- The files, with sheet and row, from which something about one trainee came.
SELECT DISTINCT u.upload_id, u.file_name, u.source, u.received_at, u.received_by, x.sheet, x.row_number, x.kind,
       u.archive_name IS NOT NULL AS original_kept
FROM ({sources}) AS x
JOIN intake.upload u USING (upload_id)
ORDER BY u.received_at, u.upload_id, x.sheet, x.row_number
