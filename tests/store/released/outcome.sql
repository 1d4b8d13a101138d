-- The outcome, after the call, with its attempt. A late one, whose lease was taken away meanwhile, counts only if SSG did
-- it and nobody has found that out: what is accepted may never be sent again.
WITH attempt AS (
    UPDATE outbox.attempt
    SET finished_at = clock_timestamp(), outcome = %(state)s, http_status = %(http_status)s, error_class = %(error_class)s,
        error_code = %(error_code)s, seconds = extract(epoch FROM clock_timestamp() - started_at)
    WHERE attempt_id = %(attempt)s
)
UPDATE outbox.submission
SET state = %(state)s, needs_search = %(sent)s, lease_owner = NULL, lease_until = NULL,
    attempts = attempts - CASE WHEN %(unburn)s THEN 1 ELSE 0 END,
    next_attempt_at = clock_timestamp() + %(wait)s * interval '1 second',
    reason = CASE WHEN %(reason)s = '' THEN reason ELSE %(reason)s END,
    ssg_ref = coalesce(%(ssg_ref)s, ssg_ref),
    error_class = %(error_class)s, error_code = %(error_code)s, sentence = %(sentence)s, remedy = %(remedy)s,
    finished_at = CASE WHEN %(state)s IN ('accepted', 'superseded', 'rejected', 'dead') THEN now() END
WHERE submission_id = %(id)s
  AND (lease_owner = %(owner)s OR lease_owner IS NULL AND state = 'unknown' AND %(state)s = 'accepted')
