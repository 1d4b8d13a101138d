-- Submissions that need a person, oldest first.
SELECT submission_id, kind, key, action, state, attempts, error_class, error_code, sentence, remedy,
       first_sent_at, last_sent_at, deadline, upload_id, sheet, row_number, correlation_id
FROM outbox.submission
WHERE state IN ('rejected', 'dead')
ORDER BY deadline NULLS LAST, submission_id
