-- What SSG accepted: its reference beside our key and the row that it came from, when it was sent, what SSG answered
-- last, and who approved it. Of one run, or of all.
SELECT s.ssg_ref, s.kind, s.key, s.action, s.first_sent_at, s.finished_at, a.http_status, a.step, s.attempts,
       s.upload_id, u.file_name, s.sheet, s.row_number, s.approved_by, s.plan_id, s.submission_id, s.correlation_id
FROM outbox.submission s
LEFT JOIN intake.upload u ON u.upload_id = s.upload_id
LEFT JOIN LATERAL (
    SELECT x.http_status, x.step
    FROM outbox.attempt x
    WHERE x.submission_id = s.submission_id AND x.finished_at IS NOT NULL AND x.outcome = 'accepted'
    ORDER BY x.attempt_id DESC
    LIMIT 1
) a ON true
WHERE s.state = 'accepted' AND (%(run)s::text IS NULL OR s.run_code = %(run)s)
ORDER BY s.submission_id
