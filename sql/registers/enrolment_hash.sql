-- SSG holds the trainee's particulars inside each enrolment, so a changed trainee changes what all of them should hold.
UPDATE register.enrolment e
SET ssg_hash = sha256(e.own_hash || t.own_hash)
FROM register.trainee t
WHERE t.trainee_ref = e.trainee_ref
  AND e.ssg_hash <> sha256(e.own_hash || t.own_hash)
  AND (e.upload_id = %(upload_id)s OR t.upload_id = %(upload_id)s)
