-- The intents, before the calls: from here on each outcome is unknown until it is committed.
WITH intent AS (
    UPDATE outbox.submission
    SET state = 'sending', attempts = attempts + 1, searches = 0, needs_search = true, last_sent_at = clock_timestamp(),
        first_sent_at = coalesce(first_sent_at, clock_timestamp())
    WHERE submission_id = ANY(%(ids)s) AND lease_owner = %(owner)s AND lease_until > now() AND state IN ('ready', 'retry')
      AND approved_until > now()
    RETURNING submission_id, attempts, correlation_id
)
INSERT INTO outbox.attempt (submission_id, number, step, correlation_id)
SELECT submission_id, attempts, 'send', correlation_id FROM intent
RETURNING submission_id, attempt_id
