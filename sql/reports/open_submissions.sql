-- Submissions that are not finished, the most urgent first.
SELECT submission_id, kind, key, action, state, reason, sentence, deadline, created_at, attempts, next_attempt_at,
       upload_id, sheet, row_number, correlation_id
FROM outbox.submission
WHERE state IN ('planned', 'held', 'ready', 'sending', 'retry', 'unknown', 'rejected', 'dead')
ORDER BY deadline NULLS LAST, order_no, submission_id
