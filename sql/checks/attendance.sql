-- Attendance belongs to a known session that has taken place and to an enrolment of the trainee in its course run.
SELECT s.line, 'RUN_UNKNOWN' AS code, 'run_code' AS field, jsonb_build_object('value', s.run_code) AS words
FROM {stage} s
WHERE NOT EXISTS (SELECT FROM register.course_run r WHERE r.key = s.run_code)
UNION ALL
SELECT s.line, 'SESSION_UNKNOWN', 'session_no',
       jsonb_build_object('value', s.run_code || ' session ' || s.session_no)
FROM {stage} s
JOIN register.course_run r ON r.key = s.run_code
WHERE NOT EXISTS (SELECT FROM register.session x WHERE x.key = s.run_code || '|' || s.session_no)
UNION ALL
SELECT s.line, 'SESSION_CANCELLED', 'session_no',
       jsonb_build_object('value', s.run_code || ' session ' || s.session_no)
FROM {stage} s
JOIN register.session x ON x.key = s.run_code || '|' || s.session_no
WHERE s.live AND NOT x.live
UNION ALL
SELECT s.line, 'ATTENDANCE_BEFORE_SESSION', 'session_no', '{{}}'::jsonb
FROM {stage} s
JOIN register.session x ON x.key = s.run_code || '|' || s.session_no
WHERE s.live AND x.session_date > %(today)s
UNION ALL
SELECT s.line, 'ENROLMENT_UNKNOWN', 'nric', jsonb_build_object('value', s.run_code)
FROM {stage} s
JOIN register.course_run r ON r.key = s.run_code
WHERE NOT EXISTS (SELECT FROM register.enrolment e WHERE e.key = s.run_code || '|' || s.trainee_ref)
UNION ALL
SELECT s.line, 'ENROLMENT_WITHDRAWN', 'nric', jsonb_build_object('value', s.run_code)
FROM {stage} s
JOIN register.enrolment e ON e.key = s.run_code || '|' || s.trainee_ref
WHERE s.live AND NOT e.live
UNION ALL
SELECT s.line, 'HOURS_MISSING', 'hours', '{{}}'::jsonb
FROM {stage} s
JOIN register.session x ON x.key = s.run_code || '|' || s.session_no
WHERE s.live AND x.mode_of_training = '4' AND s.hours IS NULL
UNION ALL
SELECT s.line, 'HOURS_NOT_WANTED', 'hours', '{{}}'::jsonb
FROM {stage} s
JOIN register.session x ON x.key = s.run_code || '|' || s.session_no
WHERE x.mode_of_training <> '4' AND s.hours IS NOT NULL
