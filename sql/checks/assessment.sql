-- An assessment belongs to an enrolment and to the time of its course run.
SELECT s.line, 'RUN_UNKNOWN' AS code, 'run_code' AS field, jsonb_build_object('value', s.run_code) AS words
FROM {stage} s
WHERE NOT EXISTS (SELECT FROM register.course_run r WHERE r.key = s.run_code)
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
SELECT s.line, 'ASSESSMENT_BEFORE_RUN', 'assessment_date', jsonb_build_object('value', s.run_code)
FROM {stage} s
JOIN register.course_run r ON r.key = s.run_code
WHERE s.assessment_date < r.start_date
UNION ALL
SELECT s.line, 'ASSESSMENT_LONG_AFTER_RUN', 'assessment_date',
       jsonb_build_object('value', s.run_code, 'limit', 60)
FROM {stage} s
JOIN register.course_run r ON r.key = s.run_code
WHERE s.assessment_date > r.end_date + 60
UNION ALL
SELECT s.line, 'SKILL_CODE_NOT_OF_COURSE', 'skill_code', '{{}}'::jsonb
FROM {stage} s
JOIN register.course_run r ON r.key = s.run_code
JOIN register.course c ON c.key = r.course_reference
WHERE s.skill_code <> '' AND c.skill_code <> '' AND s.skill_code <> c.skill_code
