-- The changes of a plan as a person reviews them, in the order in which they are sent.
SELECT s.kind, s.action, s.key, s.ssg_ref, s.fields, s.reason, s.state, s.deadline, u.file_name, s.sheet, s.row_number,
       s.upload_id
FROM outbox.submission s
LEFT JOIN intake.upload u USING (upload_id)
WHERE s.plan_id = %(plan)s AND s.state <> 'superseded'
ORDER BY s.due, s.order_no, s.kind, s.key
