-- Trainees with marks to be sent and neither e-mail nor phone. Only whether a value is there is asked, never the value.
SELECT e.run_code, e.trainee_ref, e.key, marks.count
FROM register.enrolment e
JOIN register.course_run r ON r.key = e.run_code AND r.live
LEFT JOIN register.trainee t ON t.trainee_ref = e.trainee_ref AND t.live
JOIN LATERAL (
    SELECT count(*) FROM register.attendance a
    WHERE a.run_code = e.run_code AND a.trainee_ref = e.trainee_ref AND a.live
) AS marks ON marks.count > 0
WHERE e.live AND t.email_mark IS NULL AND t.phone_mark IS NULL
ORDER BY e.run_code, e.trainee_ref
