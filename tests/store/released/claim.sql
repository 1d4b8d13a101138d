-- Claim what is due, nearest deadline first. The CTE is a fence: without it LIMIT and SKIP LOCKED may take too many.
-- A child waits until all its parents live at SSG and what it follows is settled (may_go.sql). Edits of one course run
-- go one after the other, because an edit sends the whole run (ssg-api 4.2).
WITH due AS (
    SELECT s.submission_id
    FROM outbox.submission s
    WHERE s.state IN ('ready', 'retry', 'unknown')
      AND s.next_attempt_at <= now()
      AND s.lease_owner IS NULL
      AND NOT s.kind || '.' || s.action = ANY(%(paused)s)
      AND {may_go}
      AND NOT (s.kind IN ('course_run', 'session') AND EXISTS (
          SELECT FROM outbox.submission o
          WHERE o.run_code = s.run_code AND o.kind IN ('course_run', 'session')
            AND o.submission_id <> s.submission_id AND o.lease_owner IS NOT NULL))
    ORDER BY s.due, s.order_no, s.submission_id
    LIMIT %(limit)s
    FOR UPDATE OF s SKIP LOCKED
)
UPDATE outbox.submission s
SET lease_owner = %(owner)s, lease_until = now() + %(lease)s
FROM due
WHERE s.submission_id = due.submission_id
RETURNING s.submission_id, s.kind, s.key, s.action, s.state, s.content_hash, s.correlation_id, s.ssg_ref, s.attempts,
          s.searches, extract(epoch FROM now() - coalesce(s.first_sent_at, now()))::float8 AS age,
          extract(epoch FROM now() - s.last_sent_at)::float8 AS sent_ago, s.first_sent_at, s.due, s.order_no, s.run_code,
          s.upload_id
