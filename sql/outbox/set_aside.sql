-- Claimed, and not to be sent any more: the world changed after the plan was made.
UPDATE outbox.submission
SET state = 'superseded', reason = %(reason)s, finished_at = now(), lease_owner = NULL, lease_until = NULL
WHERE submission_id = %(id)s AND lease_owner = %(owner)s AND state IN ('ready', 'retry')
