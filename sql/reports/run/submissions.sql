-- Every submission about one run: what, from which row, when, in which state, with SSG's reference, and who approved it.
SELECT s.submission_id, s.kind, s.key, s.action, s.state, s.ssg_ref, s.first_sent_at, s.finished_at, s.attempts,
       s.sentence, s.deadline, s.upload_id, u.file_name, s.sheet, s.row_number, s.approved_by, s.plan_id
FROM outbox.submission s
LEFT JOIN intake.upload u ON u.upload_id = s.upload_id
WHERE s.run_code = %(run)s AND s.state <> 'superseded'
ORDER BY s.submission_id
