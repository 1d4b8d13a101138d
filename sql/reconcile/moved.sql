-- An enrolment that somebody put into another run there: the same reference, another run (ssg-api 6.2).
SELECT g.ssg_ref, coalesce(g.run_code, 'SSG run ' || g.ssg_run_id) AS place, coalesce(g.updated_on, g.seen_at) AS since
FROM mirror.enrolment g
WHERE g.agreed_key = d.key AND g.live AND g.key IS DISTINCT FROM g.agreed_key
LIMIT 1
