-- The worker lives: its leases go on.
UPDATE outbox.submission SET lease_until = now() + %(lease)s WHERE lease_owner = ANY(%(owners)s)
