-- A run that SSG holds and we did not publish is ours if everything agrees and nothing else is like it on either side.
-- Which of several alike is which, only what hangs on them can tell, and that is read later (alike_runs.sql).
WITH theirs AS (
    SELECT min(ssg_ref) AS ssg_ref, own_hash
    FROM mirror.course_run
    WHERE key IS NULL AND live
    GROUP BY own_hash
    HAVING count(*) = 1
), ours AS (
    SELECT min(r.key) AS key, r.own_hash
    FROM register.course_run r
    WHERE r.live AND NOT EXISTS (SELECT FROM mirror.course_run m WHERE m.key = r.key AND m.live)
    GROUP BY r.own_hash
    HAVING count(*) = 1
)
UPDATE mirror.course_run m
SET key = ours.key
FROM theirs
JOIN ours USING (own_hash)
WHERE m.ssg_ref = theirs.ssg_ref
