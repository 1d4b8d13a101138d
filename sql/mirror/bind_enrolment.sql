-- An enrolment is known by its run and trainee; two of one pair share the key, which reconciliation then reports.
UPDATE mirror.enrolment m
SET run_code = r.key, trainee_ref = t.trainee_ref, key = r.key || '|' || t.trainee_ref
FROM mirror.course_run r, identity.trainee t
WHERE r.ssg_ref = m.ssg_run_id
  AND r.key IS NOT NULL
  AND t.nric_mark = m.nric_mark
  AND m.key IS DISTINCT FROM r.key || '|' || t.trainee_ref
