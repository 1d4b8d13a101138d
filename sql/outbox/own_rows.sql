-- Changes of a part that came with this person's own uploads; the trainee's particulars in an enrolment count too.
SELECT count(*)
FROM outbox.submission s
WHERE s.plan_id = %(plan)s AND s.kind = %(kind)s AND s.action = %(action)s AND s.state = 'planned'
  AND (EXISTS (SELECT FROM intake.upload u
               WHERE u.upload_id = s.upload_id AND (u.received_by = %(person)s OR u.released_by = %(person)s))
       OR s.kind = 'enrolment' AND EXISTS (
           SELECT FROM register.enrolment e
           JOIN register.trainee t ON t.trainee_ref = e.trainee_ref
           JOIN intake.upload u ON u.upload_id = t.upload_id AND u.received_by = %(person)s
           WHERE e.key = s.key))
