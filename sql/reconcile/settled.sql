-- Records whose difference a person settled: by our key as long as both sides stay as they were looked at, by SSG's
-- reference as long as SSG's does.
CREATE TEMP TABLE settled ON COMMIT DROP AS
SELECT x.key, x.how
FROM outbox.resolution x
LEFT JOIN {register} r ON r.key = x.key
LEFT JOIN {mirror} m ON m.ssg_ref = x.key
WHERE x.kind = %(kind)s AND x.ended_at IS NULL AND x.how IN ('theirs', 'ignore')
  AND (x.until IS NULL OR x.until >= %(today)s)
  AND CASE WHEN r.key IS NOT NULL THEN x.register_hash = r.ssg_hash AND x.register_live = r.live
                AND (x.their_hash IS NULL OR x.their_hash = coalesce((
                    SELECT CASE WHEN t.live THEN t.ssg_hash ELSE '\x00' END FROM {mirror} t
                    WHERE t.key = x.key
                       OR t.agreed_key = x.key AND (NOT t.live OR t.key IS DISTINCT FROM t.agreed_key)  -- as its index
                    ORDER BY t.live DESC, t.ssg_ref LIMIT 1), '\x00'))
           ELSE m.ssg_hash = x.their_hash END
