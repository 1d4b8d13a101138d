-- Holds that stand, with how much they hold now.
SELECT x.hold_id, x.kind, x.action, x.key, x.reason, x.held_by, x.held_at,
       (SELECT count(*) FROM outbox.submission s
         WHERE s.state = 'held' AND (x.kind IS NULL OR x.kind = s.kind) AND (x.action IS NULL OR x.action = s.action)
           AND (x.key IS NULL OR x.key = s.key))
FROM outbox.hold x
WHERE x.released_at IS NULL
ORDER BY x.hold_id
