-- What SSG accepted: its reference beside our key and the row that it came from.
SELECT ssg_ref, kind, key, action, finished_at, upload_id, sheet, row_number, submission_id, plan_id, approved_by,
       correlation_id
FROM outbox.submission
WHERE state = 'accepted'
ORDER BY submission_id
