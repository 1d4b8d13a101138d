-- The sessions of one run with SSG's reference and how many of the enrolled came.
SELECT s.session_no, s.session_date, s.start_time, s.end_time, s.mode_of_training, s.live, m.ssg_ref,
       coalesce(a.marked, 0), coalesce(a.attended, 0), coalesce(t.there, 0)
FROM register.session s
LEFT JOIN (SELECT key, min(ssg_ref) AS ssg_ref FROM mirror.session
           WHERE live AND key IN (SELECT key FROM register.session WHERE run_code = %(run)s)
           GROUP BY key) m ON m.key = s.key
LEFT JOIN (SELECT a.session_no, count(*) AS marked, count(*) FILTER (WHERE a.mark IN ('present', 'late')) AS attended
           FROM register.attendance a
           JOIN register.enrolment e ON e.run_code = a.run_code AND e.trainee_ref = a.trainee_ref AND e.live
           WHERE a.run_code = %(run)s GROUP BY a.session_no) a ON a.session_no = s.session_no
LEFT JOIN (SELECT a.session_no, count(*) AS there FROM register.attendance a
           WHERE a.run_code = %(run)s AND EXISTS (SELECT FROM mirror.attendance m WHERE m.key = a.key AND m.live)
           GROUP BY a.session_no) t ON t.session_no = s.session_no
WHERE s.run_code = %(run)s
ORDER BY s.session_no, s.key
