-- Changes of a part that came with this person's own uploads; of an enrolment the trainee's particulars count too, the
-- fee status that a new one carries, and the cancelled run that takes it back.
SELECT count(*)
FROM outbox.submission s
WHERE s.plan_id = %(plan)s AND s.kind = %(kind)s AND s.action = %(action)s AND s.state = 'planned'
  AND (EXISTS (SELECT FROM intake.upload u
               WHERE u.upload_id = s.upload_id AND (u.received_by = %(person)s OR u.released_by = %(person)s))
       OR s.kind = 'enrolment' AND EXISTS (
           SELECT FROM register.enrolment e
           JOIN register.trainee t ON t.trainee_ref = e.trainee_ref
           LEFT JOIN register.fee f ON f.key = e.key AND s.action = 'create'
           LEFT JOIN register.course_run c ON c.key = e.run_code AND NOT c.live AND s.action = 'cancel'
           JOIN intake.upload u ON u.upload_id IN (t.upload_id, f.upload_id, c.upload_id)
                               AND (u.received_by = %(person)s OR u.released_by = %(person)s)
           WHERE e.key = s.key))
