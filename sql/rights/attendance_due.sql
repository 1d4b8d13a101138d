-- Attendance whose session was so long ago, of trainees without a legal hold.
SELECT a.key
FROM register.attendance a
JOIN register.course_run r ON r.key = a.run_code
LEFT JOIN register.session s ON s.key = a.run_code || '|' || a.session_no
WHERE coalesce(s.session_date, r.end_date) <= %(day)s
  AND NOT EXISTS (SELECT FROM rights.legal_hold h WHERE h.trainee_ref = a.trainee_ref AND h.released_at IS NULL)
ORDER BY a.key
