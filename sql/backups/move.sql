-- One legal move of these submissions; nobody has them in hand any more.
UPDATE outbox.submission
SET state = %(state)s, lease_owner = NULL, lease_until = NULL,
    reason = CASE WHEN %(reason)s = '' THEN reason ELSE %(reason)s END,
    finished_at = CASE WHEN %(state)s IN ('superseded', 'dead') THEN now() END
WHERE submission_id = ANY(%(ids)s)
