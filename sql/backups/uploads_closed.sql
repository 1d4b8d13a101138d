-- Uploads whose data key is another one than when the dump was made, or is gone: what the dump's key sealed opens no more.
SELECT u.upload_id
FROM dumped_key d JOIN identity.data_key k USING (subject) JOIN intake.upload u ON k.subject = 'upload:' || u.upload_id
WHERE k.wrapped IS NULL OR k.created_at <> d.created_at
ORDER BY 1
