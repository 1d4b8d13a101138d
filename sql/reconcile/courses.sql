-- Courses: compared and never submitted, as SSG's registry owns them. SSG has one answer for a course without runs and
-- for one that it does not know (ssg-api 4.4): where it held a run of ours before, that is a finding of a class of its
-- own; where it never did, there is nothing to compare.
SELECT c.key, c.class, c.ours, c.theirs, c.since
FROM (
    SELECT r.key,
           CASE WHEN m.ssg_status = 'not shown' THEN 'not shown there'
                WHEN m.key IS NULL OR NOT m.live THEN 'missing there'
                ELSE 'differs' END AS class,
           r.course_title AS ours, m.course_title AS theirs, coalesce(m.seen_at, r.valid_from) AS since
    FROM register.course r
    LEFT JOIN mirror.course m ON m.key = r.key
    WHERE m.key IS NULL OR NOT m.live OR m.ssg_hash <> r.ssg_hash
) AS c
WHERE c.class <> 'not shown there'
   OR EXISTS (SELECT FROM register.course_run x
              JOIN mirror.course_run m ON m.course_reference = x.course_reference AND x.key IN (m.key, m.agreed_key)
              WHERE x.course_reference = c.key AND x.live)
