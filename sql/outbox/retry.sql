-- A person sends dead letters again: attempts and age begin anew; what was sent and never found is searched for first.
UPDATE outbox.submission s
SET state = CASE WHEN s.needs_search THEN 'unknown' ELSE 'ready' END, attempts = 0, searches = 0, first_sent_at = NULL,
    next_attempt_at = now(), finished_at = NULL, approved_by = %(person)s,
    approved_until = now() + %(hours)s * interval '1 hour'
FROM outbox.submission o
WHERE o.submission_id = s.submission_id AND s.submission_id = ANY(%(ids)s) AND s.state IN ('rejected', 'dead')
RETURNING s.submission_id, s.state, s.kind, s.key, o.error_code
