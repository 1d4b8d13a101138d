-- What could be sent or searched now, how long the oldest of it is due, and leases whose worker is gone.
SELECT count(*) FILTER (WHERE due), coalesce(max(waited) FILTER (WHERE due), 0)::float8,
       (SELECT count(*) FROM outbox.submission WHERE lease_owner IS NOT NULL AND lease_until < now() - interval '5 minutes')
FROM (
    SELECT s.next_attempt_at <= now() AND (s.state = 'unknown' OR s.approved_until > now()) AS due,
           extract(epoch FROM now() - greatest(s.next_attempt_at, s.created_at)) AS waited
    FROM outbox.submission s
    WHERE s.state IN ('ready', 'retry', 'unknown')
) AS open
