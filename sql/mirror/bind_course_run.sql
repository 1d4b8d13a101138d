-- A run that SSG holds and we did not publish is ours if everything agrees; of several alike, each is taken once.
WITH theirs AS (
    SELECT ssg_ref, own_hash, row_number() OVER (PARTITION BY own_hash ORDER BY ssg_ref) AS place
    FROM mirror.course_run
    WHERE key IS NULL AND live
), ours AS (
    SELECT r.key, r.own_hash, row_number() OVER (PARTITION BY r.own_hash ORDER BY r.key) AS place
    FROM register.course_run r
    WHERE r.live AND NOT EXISTS (SELECT FROM mirror.course_run m WHERE m.key = r.key AND m.live)
)
UPDATE mirror.course_run m
SET key = ours.key
FROM theirs
JOIN ours USING (own_hash, place)
WHERE m.ssg_ref = theirs.ssg_ref
