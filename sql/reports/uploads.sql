-- Every upload with its balance, oldest first.
SELECT upload_id, file_name, received_at, rows, accepted, unchanged, rejected, superseded, state
FROM intake.upload
ORDER BY received_at, upload_id
