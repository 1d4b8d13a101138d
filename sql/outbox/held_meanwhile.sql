-- What could be sent again now, and what a person's hold fits: a hold that came while it was being sent or searched for
-- counts from here on.
UPDATE outbox.submission s
SET state = 'held',
    reason = (SELECT 'held by ' || x.held_by || ': ' || x.reason FROM outbox.hold x
              WHERE x.released_at IS NULL AND (x.kind IS NULL OR x.kind = s.kind)
                AND (x.action IS NULL OR x.action = s.action) AND (x.key IS NULL OR x.key = s.key)
              ORDER BY x.hold_id LIMIT 1)
WHERE s.submission_id = ANY(%(ids)s) AND s.state IN ('ready', 'retry') AND s.lease_owner IS NULL
  AND EXISTS (SELECT FROM outbox.hold x
              WHERE x.released_at IS NULL AND (x.kind IS NULL OR x.kind = s.kind)
                AND (x.action IS NULL OR x.action = s.action) AND (x.key IS NULL OR x.key = s.key))
