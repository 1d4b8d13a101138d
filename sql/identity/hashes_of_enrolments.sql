-- SSG holds the trainee's particulars inside each enrolment, so its hash is over both.
UPDATE register.enrolment e
SET ssg_hash = sha256(e.own_hash || t.own_hash)
FROM register.trainee t
WHERE t.trainee_ref = e.trainee_ref
