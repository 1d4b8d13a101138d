-- Withdrawals that wait for nothing any more: no course of the trainee is to come or under way, here or to SSG.
SELECT w.trainee_ref
FROM rights.withdrawal w
WHERE w.effective_at IS NULL AND w.given_again_at IS NULL
  AND NOT EXISTS (
      SELECT FROM register.enrolment e
      JOIN register.course_run r ON r.key = e.run_code
      WHERE e.trainee_ref = w.trainee_ref AND e.live AND r.live AND r.end_date >= %(today)s)
  AND NOT EXISTS (
      SELECT FROM outbox.submission s
      WHERE s.state IN ('planned', 'held', 'ready', 'sending', 'retry', 'unknown', 'rejected', 'dead')
        AND w.trainee_ref = ANY (string_to_array(s.key, '|')))
ORDER BY w.trainee_ref
FOR UPDATE OF w
