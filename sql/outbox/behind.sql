-- What waits behind a submission, however far.
WITH RECURSIVE behind (submission_id, name) AS (
    SELECT d.submission_id, d.kind || ':' || d.key FROM outbox.submission d WHERE d.submission_id = %(id)s
    UNION
    SELECT s.submission_id, s.kind || ':' || s.key
    FROM behind b
    JOIN outbox.submission s ON (s.parents @> ARRAY[b.name] OR s.follows @> ARRAY[b.name])
        AND s.state IN ('planned', 'held', 'ready', 'retry', 'rejected', 'dead')
)
SELECT s.submission_id, s.kind, s.key, s.action, s.state, s.deadline, s.upload_id, s.sheet, s.row_number
FROM behind JOIN outbox.submission s USING (submission_id)
WHERE s.submission_id <> %(id)s
ORDER BY s.due, s.order_no, s.submission_id
