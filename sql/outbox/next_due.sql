-- In how many seconds the next submission may go, and how many are under a lease now.
SELECT (SELECT extract(epoch FROM min(s.next_attempt_at) - now())::float8
        FROM outbox.submission s
        WHERE s.state IN ('ready', 'retry', 'unknown') AND s.lease_owner IS NULL
          AND NOT s.kind || '.' || s.action = ANY(%(paused)s)
          AND {may_go}),
       (SELECT count(*) FROM outbox.submission s WHERE s.lease_owner IS NOT NULL)
