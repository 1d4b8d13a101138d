-- The generation is part of the idempotency key, so that the same content may be right again after something else was.
-- Of each record: the next one, which no submission of it had, and beside it the newest submission, whose generation a
-- plan of the same content keeps: as long as it is under way, and when a person discarded it, unless they decided for
-- ours since.
SELECT DISTINCT ON (s.key) s.key, max(s.generation) OVER (PARTITION BY s.key) + 1, s.action, s.content_hash,
       CASE WHEN s.state NOT IN ('accepted', 'superseded')
                 AND NOT (s.state = 'discarded' AND EXISTS (
                     SELECT FROM outbox.resolution x
                     WHERE x.kind = s.kind AND x.key = s.key AND x.how = 'ours' AND x.made_at > s.finished_at))
            THEN s.generation END
FROM outbox.submission AS s
WHERE s.kind = %(kind)s AND s.key = ANY(%(keys)s)
ORDER BY s.key, s.submission_id DESC
