-- Both sides hold the same: that is what later changes are measured by.
UPDATE {mirror} m
SET agreed_hash = m.ssg_hash, agreed_key = m.key
FROM {register} r
WHERE r.key = m.key AND m.live AND r.live AND m.ssg_hash = r.ssg_hash
  AND (m.agreed_hash IS DISTINCT FROM m.ssg_hash OR m.agreed_key IS DISTINCT FROM m.key)
