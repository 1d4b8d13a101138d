-- Hold what fits and was not begun.
UPDATE outbox.submission
SET state = 'held', reason = %(reason)s
WHERE state IN ('planned', 'ready', 'retry') AND lease_owner IS NULL
  AND (%(kind)s::text IS NULL OR kind = %(kind)s) AND (%(action)s::text IS NULL OR action = %(action)s)
  AND (%(key)s::text IS NULL OR key = %(key)s)
