-- Trainees with marks to be sent and neither e-mail nor phone, and the first day from which such marks count. Only
-- whether a value is there is asked, never the value. Who was shredded has none, and is sent no more; of who withdrew
-- the consent only what SSG does not hold yet is still to be sent.
SELECT e.run_code, e.trainee_ref, e.key, marks.count, marks.held_on
FROM register.enrolment e
JOIN register.course_run r ON r.key = e.run_code AND r.live
LEFT JOIN register.trainee t ON t.trainee_ref = e.trainee_ref AND t.live
JOIN LATERAL (
    SELECT count(*), min(greatest(r.end_date, s.session_date)) AS held_on
    FROM register.attendance a
    LEFT JOIN register.session s ON s.run_code = a.run_code AND s.session_no = a.session_no AND s.live
    WHERE a.run_code = e.run_code AND a.trainee_ref = e.trainee_ref AND a.live
      AND NOT (EXISTS (SELECT FROM rights.withdrawal w
                       WHERE w.trainee_ref = e.trainee_ref AND w.effective_at IS NOT NULL AND w.given_again_at IS NULL)
               AND EXISTS (SELECT FROM mirror.attendance m WHERE m.key = a.key AND m.live))
) AS marks ON marks.count > 0
WHERE e.live AND t.email_mark IS NULL AND t.phone_mark IS NULL
  AND NOT EXISTS (SELECT FROM rights.shredded x WHERE x.trainee_ref = e.trainee_ref)
ORDER BY e.run_code, e.trainee_ref
