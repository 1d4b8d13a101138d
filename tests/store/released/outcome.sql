-- The outcomes, after the calls, with their attempts. A late one, whose lease was taken away meanwhile, counts only if
-- SSG did it and nobody has found that out: what is accepted may never be sent again.
WITH o AS (
    SELECT * FROM json_to_recordset(%(outcomes)s) AS o (
        id bigint, attempt bigint, state text, sent boolean, unburn boolean, wait float8, reason text, ssg_ref text,
        http_status integer, error_class text, error_code text, sentence text, remedy text)
), attempt AS (
    UPDATE outbox.attempt a
    SET finished_at = clock_timestamp(), outcome = o.state, http_status = o.http_status, error_class = o.error_class,
        error_code = o.error_code, seconds = extract(epoch FROM clock_timestamp() - a.started_at)
    FROM o WHERE a.attempt_id = ANY(%(attempts)s) AND a.attempt_id = o.attempt
)
UPDATE outbox.submission s
SET state = o.state, needs_search = o.sent, lease_owner = NULL, lease_until = NULL,
    attempts = s.attempts - CASE WHEN o.unburn THEN 1 ELSE 0 END,
    next_attempt_at = clock_timestamp() + o.wait * interval '1 second',
    reason = CASE WHEN o.reason = '' THEN s.reason ELSE o.reason END,
    ssg_ref = coalesce(o.ssg_ref, s.ssg_ref),
    error_class = o.error_class, error_code = o.error_code, sentence = o.sentence, remedy = o.remedy,
    finished_at = CASE WHEN o.state IN ('accepted', 'superseded', 'rejected', 'dead') THEN now() END
FROM o
WHERE s.submission_id = ANY(%(ids)s) AND s.submission_id = o.id
  AND (s.lease_owner = %(owner)s OR s.lease_owner IS NULL AND s.state = 'unknown' AND o.state = 'accepted')
