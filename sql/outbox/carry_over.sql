-- What an older plan wanted and this one still wants belongs to this one, so that one approval covers it.
UPDATE outbox.submission s
SET plan_id = %(plan_id)s
FROM planned p
WHERE s.idempotency_key = p.idempotency_key
  AND s.state IN ('planned', 'held')
