-- A session belongs to a known course run, lies inside its dates, and overlaps no other session that stands for the run.
SELECT s.line, 'RUN_UNKNOWN' AS code, 'run_code' AS field, jsonb_build_object('value', s.run_code) AS words
FROM {stage} s
WHERE NOT EXISTS (SELECT FROM register.course_run r WHERE r.key = s.run_code)
UNION ALL
SELECT s.line, 'SESSION_OUTSIDE_RUN', 'session_date', jsonb_build_object('value', s.run_code)
FROM {stage} s
JOIN register.course_run r ON r.key = s.run_code
WHERE s.session_date NOT BETWEEN r.start_date AND r.end_date
UNION ALL
SELECT s.line, 'RUN_CANCELLED', 'run_code', jsonb_build_object('value', s.run_code)
FROM {stage} s
JOIN register.course_run r ON r.key = s.run_code
WHERE s.live AND NOT r.live
UNION ALL
SELECT DISTINCT s.line, 'SESSIONS_OVERLAP', 'start_time', '{{}}'::jsonb
FROM {stage} s
JOIN register.session other
  ON other.run_code = s.run_code AND other.session_date = s.session_date AND other.session_no <> s.session_no
 AND other.start_time < s.end_time AND s.start_time < other.end_time
-- Sessions of the same file are compared with each other when it is read.
WHERE s.live AND other.live AND NOT EXISTS (SELECT FROM {stage} again WHERE again.key = other.key)
