-- What an attendance's submission needs: its session at SSG and the trainee's particulars.
SELECT a.*, a.live AND r.live AND e.live AND x.live AS wanted, r.course_reference, x.mode_of_training, mr.ssg_ref AS ssg_run_id, ms.ssg_ref AS ssg_session_id,
       ma.ssg_ref AS their_ref, t.nric_sealed, t.full_name_sealed, t.email_sealed, t.phone_sealed, t.phone_country,
       t.residency, t.survey_language
FROM register.attendance a
JOIN register.course_run r ON r.key = a.run_code
JOIN register.session x ON x.key = a.run_code || '|' || a.session_no
JOIN register.enrolment e ON e.key = a.run_code || '|' || a.trainee_ref
JOIN register.trainee t ON t.trainee_ref = a.trainee_ref
LEFT JOIN mirror.course_run mr ON mr.key = a.run_code AND mr.live
LEFT JOIN mirror.session ms ON ms.key = x.key AND ms.live
LEFT JOIN mirror.attendance ma ON ma.key = a.key AND ma.live
WHERE a.key = ANY(%(keys)s)
