-- The life of each course run in one row: what we hold, what SSG holds, what is open, what was found.
WITH session_count AS (
    SELECT r.run_code, count(*) AS ours, count(m.key) AS theirs
    FROM register.session r
    LEFT JOIN (SELECT DISTINCT key FROM mirror.session AS x WHERE live) m ON m.key = r.key
    WHERE r.live
    GROUP BY r.run_code
),
enrolment_count AS (
    SELECT r.run_code, count(*) AS ours, count(m.key) AS theirs
    FROM register.enrolment r
    LEFT JOIN (SELECT DISTINCT key FROM mirror.enrolment AS x WHERE live) m ON m.key = r.key
    WHERE r.live
    GROUP BY r.run_code
),
fee_count AS (
    SELECT r.run_code, count(*) AS ours, count(m.key) AS theirs
    FROM register.fee r
    LEFT JOIN (SELECT DISTINCT key FROM mirror.fee AS x WHERE live) m ON m.key = r.key
    WHERE r.live
    GROUP BY r.run_code
),
attendance_count AS (
    SELECT r.run_code, count(*) AS ours, count(m.key) AS theirs
    FROM register.attendance r
    LEFT JOIN (SELECT DISTINCT key FROM mirror.attendance AS x WHERE live) m ON m.key = r.key
    WHERE r.live
    GROUP BY r.run_code
),
assessment_count AS (
    SELECT r.run_code, count(*) AS ours, count(m.key) AS theirs
    FROM register.assessment r
    LEFT JOIN (SELECT DISTINCT key FROM mirror.assessment AS x WHERE live) m ON m.key = r.key
    WHERE r.live
    GROUP BY r.run_code
),
submissions AS (
    SELECT split_part(key, '|', 1) AS run_code,
           count(*) FILTER (WHERE state IN ('planned', 'held', 'ready', 'sending', 'retry', 'unknown')) AS open,
           count(*) FILTER (WHERE state IN ('rejected', 'dead')) AS dead
    FROM outbox.submission AS x
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
    FROM finding.every_deadline
    WHERE review_id = %(compliance)s AND (%(open)s::text[] IS NULL OR run_code = ANY(%(open)s))
    GROUP BY run_code
)
SELECT r.key, coalesce(c.course_title, '') AS course_title, r.course_reference, r.start_date, r.end_date,
       r.mode_of_training, r.schedule_info, r.live, m.ssg_ref,
       coalesce(session_count.ours, 0), coalesce(session_count.theirs, 0),
       coalesce(enrolment_count.ours, 0), coalesce(enrolment_count.theirs, 0),
       coalesce(fee_count.ours, 0), coalesce(fee_count.theirs, 0),
       coalesce(attendance_count.ours, 0), coalesce(attendance_count.theirs, 0),
       coalesce(assessment_count.ours, 0), coalesce(assessment_count.theirs, 0),
       coalesce(s.open, 0), coalesce(s.dead, 0), coalesce(x.found, 0),
       coalesce(d.missed, 0), coalesce(d.breach, 0), coalesce(d.near, 0), coalesce(d.other, 0)
FROM register.course_run r
LEFT JOIN register.course c ON c.key = r.course_reference
LEFT JOIN (SELECT key, min(ssg_ref) AS ssg_ref FROM mirror.course_run AS x WHERE live GROUP BY key) m ON m.key = r.key
LEFT JOIN session_count ON session_count.run_code = r.key
LEFT JOIN enrolment_count ON enrolment_count.run_code = r.key
LEFT JOIN fee_count ON fee_count.run_code = r.key
LEFT JOIN attendance_count ON attendance_count.run_code = r.key
LEFT JOIN assessment_count ON assessment_count.run_code = r.key
LEFT JOIN submissions s ON s.run_code = r.key
LEFT JOIN discrepancies x ON x.run_code = r.key
LEFT JOIN deadlines d ON d.run_code = r.key
ORDER BY r.start_date, r.key
