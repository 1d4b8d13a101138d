-- Sessions that should be at SSG; each counts from the day it is held.
SELECT s.key, s.run_code, NULL::text AS trainee_ref, s.session_date AS base
FROM register.session s
JOIN register.course_run r ON r.key = s.run_code AND r.live
WHERE s.live
