-- Uploads that came so long ago and named nobody under a legal hold.
SELECT u.upload_id, u.sha256, u.file_name, u.archive_name IS NOT NULL AS original,
       EXISTS (SELECT FROM intake.landing_block b WHERE b.upload_id = u.upload_id) AS landed,
       (u.received_at AT TIME ZONE 'Asia/Singapore')::date AS received_on
FROM intake.upload u
WHERE u.received_at < (%(day)s::date + 1)::timestamp AT TIME ZONE 'Asia/Singapore'
  AND NOT EXISTS (SELECT FROM rights.legal_hold h
                  WHERE h.released_at IS NULL AND u.upload_id IN (SELECT rights.uploads_of(h.trainee_ref)))
ORDER BY u.upload_id
