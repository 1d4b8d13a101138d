-- The life of each course run in one row: what we hold, what SSG holds, what is open, what was found.
WITH ours AS (
              SELECT run_code, 'session' AS kind, key FROM register.session WHERE live
    UNION ALL SELECT run_code, 'enrolment', key FROM register.enrolment WHERE live
    UNION ALL SELECT run_code, 'fee', key FROM register.fee WHERE live
    UNION ALL SELECT run_code, 'attendance', key FROM register.attendance WHERE live
    UNION ALL SELECT run_code, 'assessment', key FROM register.assessment WHERE live
),
there AS (
    SELECT DISTINCT kind, key FROM mirror.live
),
counted AS (
    SELECT ours.run_code,
           count(*) FILTER (WHERE kind = 'session') AS sessions,
           count(there.key) FILTER (WHERE kind = 'session') AS sessions_there,
           count(*) FILTER (WHERE kind = 'enrolment') AS enrolments,
           count(there.key) FILTER (WHERE kind = 'enrolment') AS enrolments_there,
           count(*) FILTER (WHERE kind = 'fee') AS fees,
           count(there.key) FILTER (WHERE kind = 'fee') AS fees_there,
           count(*) FILTER (WHERE kind = 'attendance') AS attendance,
           count(there.key) FILTER (WHERE kind = 'attendance') AS attendance_there,
           count(*) FILTER (WHERE kind = 'assessment') AS assessments,
           count(there.key) FILTER (WHERE kind = 'assessment') AS assessments_there
    FROM ours
    LEFT JOIN there USING (kind, key)
    GROUP BY ours.run_code
),
submissions AS (
    SELECT split_part(key, '|', 1) AS run_code,
           count(*) FILTER (WHERE state IN ('planned', 'held', 'ready', 'sending', 'retry', 'unknown')) AS open,
           count(*) FILTER (WHERE state IN ('rejected', 'dead')) AS dead
    FROM outbox.submission
    WHERE kind <> 'trainer'
    GROUP BY 1
),
discrepancies AS (
    SELECT split_part(key, '|', 1) AS run_code, count(*) AS found
    FROM finding.discrepancy
    WHERE review_id = %(reconciliation)s AND key IS NOT NULL
    GROUP BY 1
),
deadlines AS (
    SELECT run_code,
           count(*) FILTER (WHERE standing = 'missed') AS missed,
           count(*) FILTER (WHERE standing = 'near') AS near,
           count(*) FILTER (WHERE standing = 'breach') AS breach,
           count(*) FILTER (WHERE standing IN ('warning', 'met late')) AS other
    FROM finding.deadline
    WHERE review_id = %(compliance)s
    GROUP BY run_code
)
SELECT r.key, coalesce(c.course_title, '') AS course_title, r.course_reference, r.start_date, r.end_date,
       r.mode_of_training, r.schedule_info, r.live, m.ssg_ref,
       coalesce(n.sessions, 0), coalesce(n.sessions_there, 0),
       coalesce(n.enrolments, 0), coalesce(n.enrolments_there, 0),
       coalesce(n.fees, 0), coalesce(n.fees_there, 0),
       coalesce(n.attendance, 0), coalesce(n.attendance_there, 0),
       coalesce(n.assessments, 0), coalesce(n.assessments_there, 0),
       coalesce(s.open, 0), coalesce(s.dead, 0), coalesce(x.found, 0),
       coalesce(d.missed, 0), coalesce(d.breach, 0), coalesce(d.near, 0), coalesce(d.other, 0)
FROM register.course_run r
LEFT JOIN register.course c ON c.key = r.course_reference
LEFT JOIN (SELECT key, min(ssg_ref) AS ssg_ref FROM mirror.course_run WHERE live GROUP BY key) m ON m.key = r.key
LEFT JOIN counted n ON n.run_code = r.key
LEFT JOIN submissions s ON s.run_code = r.key
LEFT JOIN discrepancies x ON x.run_code = r.key
LEFT JOIN deadlines d ON d.run_code = r.key
ORDER BY r.start_date, r.key
