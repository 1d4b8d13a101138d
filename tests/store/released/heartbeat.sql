-- The worker lives: its leases go on. What it writes this very moment waits for the next beat.
WITH mine AS (
    SELECT submission_id FROM outbox.submission WHERE lease_owner = ANY(%(owners)s) FOR UPDATE SKIP LOCKED
)
UPDATE outbox.submission s SET lease_until = now() + %(lease)s FROM mine WHERE s.submission_id = mine.submission_id
