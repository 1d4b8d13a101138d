-- Live records at SSG that stand for one of ours once more: the same key, or no key and the same content as one that
-- is bound to ours.
CREATE TEMP TABLE twin ON COMMIT DROP AS
SELECT ssg_ref, key
FROM (
    SELECT m.ssg_ref, m.key, row_number() OVER (PARTITION BY m.key ORDER BY m.ssg_ref) AS place
    FROM {mirror} m
    WHERE m.live AND m.key IS NOT NULL
) AS numbered
WHERE place > 1
UNION ALL
SELECT m.ssg_ref, min(b.key)
FROM {mirror} m
JOIN {mirror} b ON b.live AND b.key IS NOT NULL AND {alike}
WHERE m.live AND m.key IS NULL
GROUP BY m.ssg_ref
