-- Attendance is known by its session and trainee.
UPDATE mirror.attendance m
SET run_code = x.run_code, session_no = x.session_no, trainee_ref = t.trainee_ref,
    key = x.key || '|' || t.trainee_ref
FROM mirror.session s
JOIN register.session x ON x.key = s.key
JOIN identity.trainee t ON true
WHERE s.ssg_ref = m.ssg_session_id
  AND t.nric_mark = m.nric_mark
  AND m.key IS DISTINCT FROM x.key || '|' || t.trainee_ref
