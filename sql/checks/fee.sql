-- A fee belongs to a known enrolment.
SELECT s.line, 'RUN_UNKNOWN' AS code, 'run_code' AS field, jsonb_build_object('value', s.run_code) AS words
FROM {stage} s
WHERE NOT EXISTS (SELECT FROM register.course_run r WHERE r.key = s.run_code)
UNION ALL
SELECT s.line, 'ENROLMENT_UNKNOWN', 'nric', jsonb_build_object('value', s.run_code)
FROM {stage} s
JOIN register.course_run r ON r.key = s.run_code
WHERE NOT EXISTS (SELECT FROM register.enrolment e WHERE e.key = s.run_code || '|' || s.trainee_ref)
UNION ALL
SELECT s.line, 'AMOUNT_ABOVE_FEE', 'amount_collected', '{{}}'::jsonb
FROM {stage} s
JOIN register.course_run r ON r.key = s.run_code
JOIN register.course c ON c.key = r.course_reference
WHERE s.amount_collected > c.full_course_fee
