-- Records whose difference a person settled, with how.
SELECT x.key, x.how
FROM outbox.resolution x
JOIN {register} r ON r.key = x.key
WHERE x.kind = %(kind)s AND x.ended_at IS NULL AND x.how IN ('theirs', 'ignore')
  AND (x.until IS NULL OR x.until >= %(today)s)
  AND x.register_hash = r.ssg_hash AND x.register_live = r.live
