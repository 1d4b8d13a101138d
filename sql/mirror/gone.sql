-- Records of this scope that a whole read no longer shows: somebody took them away at SSG.
UPDATE {mirror} m
SET live = false, ssg_status = 'gone', seen_at = %(seen_at)s, seen_how = 'read'
WHERE (m.live OR m.ssg_status IS DISTINCT FROM 'gone')
  AND m.seen_at < %(before)s
  AND {where}
  AND NOT m.ssg_ref = ANY(%(refs)s)
