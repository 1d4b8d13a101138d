-- Assessments that should be at SSG; they count from the run's end, or from the re-assessment held after it.
SELECT a.key, a.run_code, a.trainee_ref, greatest(r.end_date, a.assessment_date) AS base
FROM register.assessment a
JOIN register.course_run r ON r.key = a.run_code AND r.live
WHERE a.live
