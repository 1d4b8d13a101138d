-- Sessions that were held and enrolled trainees without any mark for them, by run; and the first of the days from which
-- such marks count: the run's end, or the make-up session held after it.
SELECT s.run_code,
       count(*) AS marks,
       count(DISTINCT s.session_no) AS sessions,
       count(DISTINCT e.trainee_ref) AS learners,
       min(greatest(r.end_date, s.session_date)) AS held_on
FROM register.session s
JOIN register.course_run r ON r.key = s.run_code AND r.live
JOIN register.enrolment e ON e.run_code = s.run_code AND e.live
LEFT JOIN register.attendance a
       ON a.run_code = s.run_code AND a.session_no = s.session_no AND a.trainee_ref = e.trainee_ref
WHERE s.live AND s.session_date < %(today)s AND a.key IS NULL
  -- Marks that the rule of retention has removed are not missing.
  AND s.session_date > coalesce((SELECT max((counts ->> 'attendance_until')::date) FROM rights.destruction), '-infinity')
GROUP BY s.run_code
ORDER BY s.run_code
