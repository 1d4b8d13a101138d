-- What an assessment's submission needs.
SELECT a.*, a.live AND r.live AND e.live AS wanted, r.course_reference, mr.ssg_ref AS ssg_run_id, ma.ssg_ref AS their_ref, t.nric_sealed, t.full_name_sealed
FROM register.assessment a
JOIN register.course_run r ON r.key = a.run_code
JOIN register.enrolment e ON e.key = a.run_code || '|' || a.trainee_ref
JOIN register.trainee t ON t.trainee_ref = a.trainee_ref
LEFT JOIN mirror.course_run mr ON mr.key = a.run_code AND mr.live
LEFT JOIN LATERAL (
    SELECT ssg_ref FROM mirror.assessment WHERE key = a.key AND live ORDER BY ssg_ref LIMIT 1
) AS ma ON true
WHERE a.key = ANY(%(keys)s)
