-- Not begun: another worker may take it at once.
UPDATE outbox.submission SET lease_owner = NULL, lease_until = NULL
WHERE submission_id = ANY(%(ids)s) AND lease_owner = %(owner)s AND state <> 'sending'
