-- What SSG holds after writes of ours: SSG named its references to us, so the keys are certain. What was agreed on of
-- other references of a record that we made does not count any more: SSG holds a new one.
WITH n AS (
    SELECT {columns}, key FROM json_populate_recordset(NULL::{mirror}, %(rows)s)
), forgotten AS (
    UPDATE {mirror} m SET agreed_key = NULL, agreed_hash = NULL
    FROM n
    WHERE %(made)s AND m.agreed_key = n.key AND m.ssg_ref <> n.ssg_ref
      AND (NOT m.live OR m.key IS DISTINCT FROM m.agreed_key)
)
INSERT INTO {mirror} AS m ({columns}, key, seen_at, seen_how)
SELECT {columns}, key, clock_timestamp(), 'write' FROM n
ON CONFLICT (ssg_ref) DO UPDATE
SET {updates}, key = coalesce(excluded.key, m.key), seen_at = excluded.seen_at, seen_how = excluded.seen_how
