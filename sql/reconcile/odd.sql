-- The records of a kind on which register and mirror are not at one, by one pass over both: with our key where we hold
-- one, and with SSG's reference where it holds one.
CREATE TEMP TABLE odd ON COMMIT DROP AS
SELECT r.key, coalesce(r.live, false) AS ours_live, m.ssg_ref
FROM (SELECT x.key, x.ssg_hash, {stands} AS live FROM {register} AS x) AS r
FULL JOIN (SELECT key, ssg_hash, ssg_ref FROM {mirror} AS x WHERE live) AS m ON m.key = r.key
WHERE r.key IS NULL
   OR CASE WHEN m.ssg_ref IS NULL THEN r.live ELSE NOT r.live OR m.ssg_hash IS DISTINCT FROM r.ssg_hash END
