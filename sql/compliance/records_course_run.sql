-- Course runs that should be at SSG, with the day their deadline counts from.
SELECT key, key AS run_code, NULL::text AS trainee_ref, start_date AS base
FROM register.course_run AS course_run
WHERE live
