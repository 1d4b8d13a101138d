-- Claimed, and not to be sent any more: the world changed after the plan was made.
UPDATE outbox.submission s
SET state = 'superseded', reason = a.reason, finished_at = now(), lease_owner = NULL, lease_until = NULL
FROM unnest(%(ids)s::bigint[], %(reasons)s::text[]) AS a (id, reason)
WHERE s.submission_id = a.id AND s.lease_owner = %(owner)s AND s.state IN ('ready', 'retry')
