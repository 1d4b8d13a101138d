-- Enrolments whose trainee has been assessed: the fee counts from the last assessment.
SELECT e.key, e.run_code, e.trainee_ref, max(a.assessment_date) AS base
FROM register.enrolment e
JOIN register.course_run r ON r.key = e.run_code AND r.live
JOIN register.assessment a ON a.run_code = e.run_code AND a.trainee_ref = e.trainee_ref AND a.live
WHERE e.live
GROUP BY e.key, e.run_code, e.trainee_ref
