-- New submissions of this plan, held where a person holds their kind or key. One that is under way already, or was
-- decided with the same content before, stays.
INSERT INTO outbox.submission (plan_id, kind, key, action, order_no, content_hash, generation, idempotency_key,
    correlation_id, state, reason, fields, parents, follows, run_code, ssg_ref, deadline, due, upload_id, sheet,
    row_number)
SELECT %(plan_id)s, p.kind, p.key, p.action, p.order_no, p.content_hash, p.generation, p.idempotency_key,
       p.correlation_id, CASE WHEN h.reason IS NULL THEN p.state ELSE 'held' END, coalesce(h.reason, p.reason), p.fields,
       p.parents, p.follows, p.run_code, p.ssg_ref, p.deadline, p.due, p.upload_id, p.sheet, p.row_number
FROM planned p
LEFT JOIN LATERAL (
    SELECT 'held by ' || x.held_by || ': ' || x.reason AS reason
    FROM outbox.hold x
    WHERE x.released_at IS NULL
      AND (x.kind IS NULL OR x.kind = p.kind) AND (x.action IS NULL OR x.action = p.action)
      AND (x.key IS NULL OR x.key = p.key)
    ORDER BY x.hold_id LIMIT 1
) AS h ON true
WHERE NOT EXISTS (
    SELECT FROM outbox.submission s
    WHERE s.kind = p.kind AND s.key = p.key
      AND s.state IN ('planned', 'held', 'ready', 'sending', 'retry', 'unknown', 'rejected', 'dead'))
ORDER BY p.due, p.order_no, p.kind, p.key
-- A key that is there already was discarded by a person: it stays so until the content changes.
ON CONFLICT (idempotency_key) DO NOTHING
