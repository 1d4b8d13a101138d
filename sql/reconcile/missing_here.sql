-- What SSG holds and we do not know of.
SELECT m.ssg_ref, m.key, coalesce(m.created_on, m.first_seen_at)
FROM {mirror} m
WHERE m.live
  AND NOT EXISTS (SELECT FROM {register} r WHERE r.key = m.key)
ORDER BY m.ssg_ref
