-- Trainees who failed an assessment and have not passed it since: of one skill code the last result counts.
SELECT run_code, trainee_ref, count(*) AS assessed, count(*) FILTER (WHERE result = 'Fail') AS failed
FROM (
    SELECT DISTINCT ON (a.run_code, a.trainee_ref, a.skill_code) a.run_code, a.trainee_ref, a.result
    FROM register.assessment a
    JOIN register.course_run r ON r.key = a.run_code AND r.live
    JOIN register.enrolment e ON e.run_code = a.run_code AND e.trainee_ref = a.trainee_ref AND e.live
    WHERE a.live
    ORDER BY a.run_code, a.trainee_ref, a.skill_code, a.assessment_date DESC NULLS LAST, a.key DESC
) last_result
GROUP BY run_code, trainee_ref
HAVING bool_or(result = 'Fail')
ORDER BY run_code, trainee_ref
