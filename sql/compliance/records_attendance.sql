-- Attendance that should be at SSG; it counts from the run's end, or from the make-up session held after it.
SELECT a.key, a.run_code, a.trainee_ref, greatest(r.end_date, s.session_date) AS base
FROM register.attendance a
JOIN register.course_run r ON r.key = a.run_code AND r.live
LEFT JOIN register.session s ON s.run_code = a.run_code AND s.session_no = a.session_no AND s.live
WHERE a.live
