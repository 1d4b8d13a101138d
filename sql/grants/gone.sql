-- Grants that a whole read no longer shows.
UPDATE mirror.grants g
SET live = false, seen_at = %(seen_at)s
WHERE g.live AND NOT EXISTS (SELECT FROM seen_grants s WHERE s.ssg_ref = g.ssg_ref)
