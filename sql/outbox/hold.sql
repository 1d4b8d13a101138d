-- Hold what fits and was not begun; what a worker has claimed and not begun yet is taken out of its hands.
UPDATE outbox.submission
SET state = 'held', reason = %(reason)s, lease_owner = NULL, lease_until = NULL
WHERE state IN ('planned', 'ready', 'retry')
  AND (%(kind)s::text IS NULL OR kind = %(kind)s) AND (%(action)s::text IS NULL OR action = %(action)s)
  AND (%(key)s::text IS NULL OR key = %(key)s)
