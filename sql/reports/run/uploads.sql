-- The files from which one run, its sessions, enrolments, marks and results came.
SELECT u.upload_id, u.file_name, u.received_at, u.received_by, string_agg(DISTINCT fed.kind, ', ' ORDER BY fed.kind),
       sum(fed.records)::bigint
FROM (
    SELECT 'course run' AS kind, upload_id, count(*) AS records FROM register.course_run
     WHERE key = %(run)s GROUP BY upload_id
    UNION ALL SELECT 'session', upload_id, count(*) FROM register.session WHERE run_code = %(run)s GROUP BY upload_id
    UNION ALL SELECT 'enrolment', upload_id, count(*) FROM register.enrolment
     WHERE run_code = %(run)s GROUP BY upload_id
    UNION ALL SELECT 'fee', upload_id, count(*) FROM register.fee WHERE run_code = %(run)s GROUP BY upload_id
    UNION ALL SELECT 'attendance', upload_id, count(*) FROM register.attendance
     WHERE run_code = %(run)s GROUP BY upload_id
    UNION ALL SELECT 'assessment', upload_id, count(*) FROM register.assessment
     WHERE run_code = %(run)s GROUP BY upload_id
) fed
JOIN intake.upload u ON u.upload_id = fed.upload_id
GROUP BY u.upload_id, u.file_name, u.received_at, u.received_by
ORDER BY u.received_at, u.upload_id
