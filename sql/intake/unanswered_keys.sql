-- The natural keys of rejected rows of other uploads: what this upload may say again.
SELECT DISTINCT k.kind, k.key_mark
FROM intake.row_key k
JOIN intake.landing_row l USING (upload_id, table_no, row_number)
WHERE l.status = 'rejected' AND k.key_mark IS NOT NULL AND k.upload_id <> %(upload_id)s
