-- Whatever was sent after the dump was made: SSG is searched before any of these is sent, and every approval has ended.
-- What the mirror knew before the dump is older than what may have been sent since.
UPDATE outbox.submission
SET needs_search = true, approved_until = now(), lease_owner = NULL, lease_until = NULL, searches = 0,
    next_attempt_at = now(), first_sent_at = coalesce(first_sent_at, %(made_at)s), last_sent_at = now(), finished_at = CASE WHEN state = 'dead' THEN coalesce(finished_at, now()) END,
    sentence = CASE WHEN state = 'unknown' THEN 'A backup was restored; SSG is searched before this is sent.' ELSE sentence END,
    remedy = CASE WHEN state = 'unknown' THEN 'Nothing: SSG is searched by itself.' ELSE remedy END
WHERE submission_id = ANY(%(ids)s)
