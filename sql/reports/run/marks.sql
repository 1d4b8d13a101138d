-- The marks of one run: enrolled trainee, session, mark, and whether SSG holds it.
SELECT a.trainee_ref, a.session_no, a.mark, EXISTS (
           SELECT FROM mirror.attendance m WHERE m.key = a.key AND m.live) AS there
FROM register.attendance a
JOIN register.enrolment e ON e.run_code = a.run_code AND e.trainee_ref = a.trainee_ref AND e.live
WHERE a.run_code = %(run)s
ORDER BY a.trainee_ref, a.session_no
