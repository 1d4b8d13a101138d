-- Withdrawals that wait for nothing any more: no course of the trainee is to come or under way, here or to SSG. After the
-- end of a course its sheets still come: what is not at SSG yet needs e-mail or phone, for as long as make-up sessions
-- may be held and marked (60 and 28 days).
SELECT w.trainee_ref
FROM rights.withdrawal w
WHERE w.effective_at IS NULL AND w.given_again_at IS NULL
  AND NOT EXISTS (
      SELECT FROM register.enrolment e
      JOIN register.course_run r ON r.key = e.run_code
      WHERE e.trainee_ref = w.trainee_ref AND e.live AND r.live
        AND (r.end_date >= %(today)s
             OR r.end_date >= %(today)s::date - 88
                AND (NOT EXISTS (SELECT FROM mirror.enrolment m WHERE m.key = e.key AND m.live)
                     OR EXISTS (
                         SELECT FROM register.session s
                         LEFT JOIN register.attendance a
                                ON a.run_code = s.run_code AND a.session_no = s.session_no AND a.trainee_ref = e.trainee_ref
                         WHERE s.run_code = e.run_code AND s.live
                           AND (a.key IS NULL
                                OR a.live AND NOT EXISTS (SELECT FROM mirror.attendance m WHERE m.key = a.key AND m.live))))))
  AND NOT EXISTS (
      SELECT FROM outbox.submission s
      WHERE s.state IN ('planned', 'held', 'ready', 'sending', 'retry', 'unknown', 'rejected', 'dead')
        AND w.trainee_ref = ANY (string_to_array(s.key, '|')))
ORDER BY w.trainee_ref
FOR UPDATE OF w
