-- A fee that SSG holds and we do not know of; that nothing was paid yet is what both sides say of a new enrolment.
SELECT m.ssg_ref, m.key, coalesce(m.created_on, m.first_seen_at)
FROM mirror.fee m
WHERE m.live
  AND m.collection_status <> 'Pending Payment'
  AND NOT EXISTS (SELECT FROM register.fee r WHERE r.key = m.key)
ORDER BY m.ssg_ref
