-- A course run names a known course and known trainers, and is not the double of another run.
SELECT s.line, 'COURSE_UNKNOWN' AS code, 'course_reference' AS field,
       jsonb_build_object('value', s.course_reference) AS words
FROM {stage} s
WHERE NOT EXISTS (SELECT FROM register.course c WHERE c.key = s.course_reference)
UNION ALL
SELECT s.line, 'TRAINER_UNKNOWN', 'trainer_codes', jsonb_build_object('value', code.one)
FROM {stage} s
CROSS JOIN LATERAL unnest(string_to_array(s.trainer_codes, ';')) AS code (one)
WHERE NOT EXISTS (SELECT FROM register.trainer t WHERE t.key = code.one)
UNION ALL
SELECT s.line, 'RUN_TWICE', 'run_code', jsonb_build_object('value', min(other.key))
FROM {stage} s
JOIN (
    SELECT key, course_reference, start_date, end_date FROM register.course_run WHERE live
    UNION
    SELECT key, course_reference, start_date, end_date FROM {stage} WHERE live
) AS other
  ON other.course_reference = s.course_reference AND other.start_date = s.start_date
 AND other.end_date = s.end_date AND other.key <> s.key
WHERE s.live
GROUP BY s.line
