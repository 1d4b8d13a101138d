-- One record after a write of ours, or found after one: SSG named its reference to us, so the key is certain.
INSERT INTO {mirror} AS m ({columns}, key, seen_at, seen_how)
VALUES ({values}, %(key)s, clock_timestamp(), %(how)s)
ON CONFLICT (ssg_ref) DO UPDATE
SET {updates}, key = coalesce(excluded.key, m.key), seen_at = excluded.seen_at, seen_how = excluded.seen_how
