-- A session belongs to a known course run and lies inside its dates.
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
