-- Leases of workers that died: of processes known to be gone, and those that ran out. What was being sent may have
-- arrived, and may still be at work at SSG: the search waits a while, counted from now and not by the clock of then.
WITH stalled AS (
    SELECT submission_id FROM outbox.submission
    WHERE lease_owner IS NOT NULL AND (lease_until < now() OR lease_owner = ANY(%(gone)s))
    FOR UPDATE SKIP LOCKED
)
UPDATE outbox.submission s
SET state = CASE WHEN state = 'sending' THEN 'unknown' ELSE state END,
    needs_search = needs_search OR state = 'sending',
    next_attempt_at = CASE
        WHEN state <> 'sending' THEN next_attempt_at
        WHEN lease_owner = ANY(%(gone)s) THEN clock_timestamp() + %(settle)s * interval '1 second'
        ELSE clock_timestamp() + %(grace)s * interval '1 second' END,
    lease_owner = NULL, lease_until = NULL,
    error_class = CASE WHEN state = 'sending' THEN 'unknown' ELSE error_class END,
    error_code = CASE WHEN state = 'sending' THEN 'WORKER_DIED' ELSE error_code END,
    sentence = CASE WHEN state = 'sending'
        THEN 'The worker died while it was sending this; SSG is searched before it is sent again.' ELSE sentence END,
    remedy = CASE WHEN state = 'sending' THEN 'Nothing: SSG is searched by itself.' ELSE remedy END
FROM stalled
WHERE s.submission_id = stalled.submission_id
