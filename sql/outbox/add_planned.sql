-- New submissions of this plan. One that is under way already, or was decided with the same content before, stays.
INSERT INTO outbox.submission (plan_id, kind, key, action, order_no, content_hash, generation, idempotency_key,
    correlation_id, state, reason, fields, parents, run_code, ssg_ref, deadline, upload_id, sheet,
    row_number)
SELECT %(plan_id)s, p.kind, p.key, p.action, p.order_no, p.content_hash, p.generation, p.idempotency_key,
       p.correlation_id, p.state, p.reason, p.fields, p.parents, p.run_code, p.ssg_ref, p.deadline, p.upload_id, p.sheet,
       p.row_number
FROM planned p
WHERE NOT EXISTS (
    SELECT FROM outbox.submission s
    WHERE s.kind = p.kind AND s.key = p.key
      AND s.state IN ('planned', 'held', 'ready', 'sending', 'retry', 'unknown', 'rejected', 'dead'))
ORDER BY p.order_no, p.deadline, p.kind, p.key
-- A key that is there already was discarded by a person: it stays so until the content changes.
ON CONFLICT (idempotency_key) DO NOTHING
