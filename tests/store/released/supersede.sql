-- What an older plan wanted and nobody sent yet gives way: to the same change planned again with other content, or
-- to nothing when the difference is gone. What was sent and is unknown stays until a search has answered.
UPDATE outbox.submission s
SET state = 'superseded', finished_at = now(),
    reason = CASE WHEN p.key IS NULL THEN 'no difference any more' ELSE 'a newer plan took its place' END
FROM outbox.submission o
LEFT JOIN planned p ON p.kind = o.kind AND p.key = o.key
LEFT JOIN unread u ON u.kind = o.kind AND u.key = o.key
WHERE s.submission_id = o.submission_id
  AND o.state IN ('planned', 'held', 'ready', 'retry', 'rejected', 'dead')
  AND NOT o.needs_search
  AND o.lease_owner IS NULL
  AND NOT o.kind = ANY(%(skipped)s)
  AND u.key IS NULL
  AND p.idempotency_key IS DISTINCT FROM o.idempotency_key
