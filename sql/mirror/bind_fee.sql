-- A fee is its enrolment's.
UPDATE mirror.fee m
SET key = e.key, run_code = e.run_code, trainee_ref = e.trainee_ref
FROM mirror.enrolment e
WHERE e.ssg_ref = m.ssg_ref
  AND e.key IS NOT NULL
  AND m.key IS DISTINCT FROM e.key
