-- Enrolments that should be at SSG; they count from the run's start.
SELECT e.key, e.run_code, e.trainee_ref, r.start_date AS base
FROM register.enrolment e
JOIN register.course_run r ON r.key = e.run_code AND r.live
WHERE e.live
