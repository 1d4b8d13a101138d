-- The intent, before the call: from here on the outcome is unknown until it is committed.
UPDATE outbox.submission
SET state = 'sending', attempts = attempts + 1, searches = 0, needs_search = true, last_sent_at = clock_timestamp(),
    first_sent_at = coalesce(first_sent_at, clock_timestamp())
WHERE submission_id = %(id)s AND lease_owner = %(owner)s AND lease_until > now() AND state IN ('ready', 'retry')
  AND approved_until > now()
RETURNING attempts
