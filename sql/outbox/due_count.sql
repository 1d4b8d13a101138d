-- Submissions that could be sent or searched now.
SELECT count(*)
FROM outbox.submission s
WHERE (s.state = 'unknown' OR s.state IN ('ready', 'retry') AND s.approved_until > now())
  AND s.next_attempt_at <= now()
  AND (s.lease_until IS NULL OR s.lease_until < now())
