-- An assessment is known by its run, trainee and skill code. SSG was seen to answer an empty skill code after a
-- create that carried one, so an empty one stands for the only assessment of that trainee and run.
WITH whose AS (
    SELECT m.ssg_ref, r.key AS run_code, t.trainee_ref, coalesce(m.skill_code, '') AS skill_code
    FROM mirror.assessment m
    JOIN mirror.course_run r ON r.ssg_ref = m.ssg_run_id AND r.key IS NOT NULL
    JOIN identity.trainee t ON t.nric_mark = m.nric_mark
    WHERE m.key IS NULL
), ours AS (
    SELECT w.ssg_ref, w.run_code, w.trainee_ref,
           coalesce(
               (SELECT a.key FROM register.assessment a
                 WHERE a.key = w.run_code || '|' || w.trainee_ref || '|' || w.skill_code),
               (SELECT min(a.key) FROM register.assessment a
                 WHERE a.run_code = w.run_code AND a.trainee_ref = w.trainee_ref
                 HAVING count(*) = 1),
               w.run_code || '|' || w.trainee_ref || '|' || w.skill_code
           ) AS key
    FROM whose w
)
UPDATE mirror.assessment m
SET key = o.key, run_code = o.run_code, trainee_ref = o.trainee_ref
FROM ours o
WHERE m.ssg_ref = o.ssg_ref
