-- Let go what is held, unless another hold still fits it; it is planned then and needs its approval.
UPDATE outbox.submission s
SET state = 'planned', reason = %(reason)s
WHERE s.state = 'held'
  AND (%(kind)s::text IS NULL OR s.kind = %(kind)s) AND (%(action)s::text IS NULL OR s.action = %(action)s)
  AND (%(key)s::text IS NULL OR s.key = %(key)s)
  AND NOT EXISTS (
      SELECT FROM outbox.hold x
      WHERE x.released_at IS NULL AND (x.kind IS NULL OR x.kind = s.kind) AND (x.action IS NULL OR x.action = s.action)
        AND (x.key IS NULL OR x.key = s.key))
