-- An enrolment joins a known trainee and a known course run that is not cancelled and has a seat.
SELECT s.line, 'RUN_UNKNOWN' AS code, 'run_code' AS field, jsonb_build_object('value', s.run_code) AS words
FROM {stage} s
WHERE NOT EXISTS (SELECT FROM register.course_run r WHERE r.key = s.run_code)
UNION ALL
SELECT s.line, 'TRAINEE_UNKNOWN', 'nric', '{{}}'::jsonb
FROM {stage} s
WHERE NOT EXISTS (SELECT FROM register.trainee t WHERE t.key = s.trainee_ref)
UNION ALL
SELECT s.line, 'RUN_CANCELLED', 'run_code', jsonb_build_object('value', s.run_code)
FROM {stage} s
JOIN register.course_run r ON r.key = s.run_code
WHERE s.live AND NOT r.live
UNION ALL
SELECT s.line, 'DISCOUNT_ABOVE_FEE', 'discount_amount', '{{}}'::jsonb
FROM {stage} s
JOIN register.course_run r ON r.key = s.run_code
JOIN register.course c ON c.key = r.course_reference
WHERE s.discount_amount > c.full_course_fee
UNION ALL
SELECT full_up.line, 'CAPACITY_EXCEEDED', 'run_code', jsonb_build_object('value', full_up.run_code)
FROM (
    SELECT s.line, s.run_code,
           row_number() OVER (PARTITION BY s.run_code ORDER BY s.line) AS place,
           (SELECT count(*) FROM register.enrolment e
             WHERE e.run_code = s.run_code AND e.live
               AND NOT EXISTS (SELECT FROM {stage} again WHERE again.key = e.key)) AS enrolled
    FROM {stage} s
    WHERE s.live
) AS full_up
JOIN register.course_run r ON r.key = full_up.run_code
WHERE full_up.place + full_up.enrolled > r.intake_size + coalesce(r.threshold, 0)
