-- Live records at SSG that stand for one of ours more than once: all but the first.
SELECT ssg_ref, key, since
FROM (
    SELECT m.ssg_ref, m.key, coalesce(m.created_on, m.first_seen_at) AS since,
           row_number() OVER (PARTITION BY m.key ORDER BY m.ssg_ref) AS place
    FROM {mirror} m
    WHERE m.live AND m.key IS NOT NULL
) AS numbered
WHERE place > 1
ORDER BY key, ssg_ref
