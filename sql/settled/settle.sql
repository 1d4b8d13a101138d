-- Runs on which both sides agree and about which nothing can become due any more.
UPDATE finding.looked_run l
SET settled = true, review_id = %(review)s, looked_at = now()
FROM register.course_run c
WHERE c.key = l.run_code AND l.agreed AND NOT l.settled
  AND c.end_date < %(ended)s
  AND NOT EXISTS (SELECT FROM unnest(%(not_over)s::text[]) AS still (run_code) WHERE still.run_code = l.run_code)
  AND NOT EXISTS (SELECT FROM register.session s
                  WHERE s.run_code = l.run_code AND s.live AND (s.session_date >= %(ended)s OR s.session_date IS NULL))
  AND NOT EXISTS (SELECT FROM register.assessment a
                  WHERE a.run_code = l.run_code AND a.live AND a.assessment_date >= %(ended)s)
  AND NOT EXISTS (SELECT FROM outbox.submission s
                  WHERE s.run_code = l.run_code
                    AND s.state = ANY(%(under_way)s))
