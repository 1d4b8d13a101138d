-- What was seen goes into the mirror. A row that is the same, of the same run and trainee, is left as it is, and so is
-- one that was written later, or so shortly before that SSG may still show it as it was.
INSERT INTO {mirror} AS m ({columns}, key, seen_at, seen_how)
SELECT {seen_columns}, s.key, %(seen_at)s, %(how)s
FROM seen s
ON CONFLICT (ssg_ref) DO UPDATE
SET {updates}, key = coalesce(m.key, excluded.key), seen_at = excluded.seen_at, seen_how = excluded.seen_how
WHERE m.seen_at <= excluded.seen_at AND (m.seen_how = 'read' OR m.seen_at <= %(settled)s)
  AND ((m.ssg_hash, m.live, {whose}) IS DISTINCT FROM (excluded.ssg_hash, excluded.live, {whose_now})
       OR m.key IS NULL AND excluded.key IS NOT NULL)
