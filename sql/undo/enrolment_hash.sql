-- What SSG should hold of the enrolments that went back, and of those whose trainee went back.
UPDATE register.enrolment e
SET ssg_hash = sha256(e.own_hash || t.own_hash)
FROM register.trainee t
WHERE t.trainee_ref = e.trainee_ref
  AND e.ssg_hash <> sha256(e.own_hash || t.own_hash)
  AND (e.key = ANY(%(enrolment)s) OR t.key = ANY(%(trainee)s))
