-- Attendance of the latest runs that have started, by run and session.
WITH recent AS (
    SELECT key, start_date
    FROM register.course_run
    WHERE live AND start_date <= %(today)s
    ORDER BY start_date DESC, key
    LIMIT %(runs)s
),
enrolled AS (
    SELECT e.run_code, count(*) AS learners
    FROM register.enrolment e
    JOIN recent ON recent.key = e.run_code
    WHERE e.live
    GROUP BY e.run_code
)
SELECT s.run_code, s.session_no, coalesce(enrolled.learners, 0) AS learners,
       count(a.key) AS marked,
       count(a.key) FILTER (WHERE a.mark IN ('present', 'late')) AS attended
FROM register.session s
JOIN recent ON recent.key = s.run_code
LEFT JOIN enrolled ON enrolled.run_code = s.run_code
LEFT JOIN register.attendance a ON a.run_code = s.run_code AND a.session_no = s.session_no
     AND EXISTS (SELECT FROM register.enrolment e
                 WHERE e.run_code = a.run_code AND e.trainee_ref = a.trainee_ref AND e.live)
WHERE s.live
GROUP BY recent.start_date, s.run_code, s.session_no, enrolled.learners
ORDER BY recent.start_date, s.run_code, s.session_no
