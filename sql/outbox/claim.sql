-- Claim what is due, nearest deadline first. The CTE is a fence: without it LIMIT and SKIP LOCKED may take too many.
-- A child waits until all its parents live at SSG. Edits of one course run go one after the other, because an edit
-- sends the whole run (ssg-api 4.2).
WITH due AS (
    SELECT s.submission_id
    FROM outbox.submission s
    WHERE s.state IN ('ready', 'retry', 'unknown')
      AND s.next_attempt_at <= now()
      AND (s.lease_until IS NULL OR s.lease_until < now())
      AND NOT EXISTS (
          SELECT FROM unnest(s.parents) AS p (parent)
          WHERE NOT EXISTS (
              SELECT FROM mirror.live l
              WHERE l.kind = split_part(p.parent, ':', 1)
                AND l.key = substr(p.parent, strpos(p.parent, ':') + 1)))
      AND NOT (s.kind IN ('course_run', 'session') AND EXISTS (
          SELECT FROM outbox.submission o
          WHERE o.run_code = s.run_code AND o.kind IN ('course_run', 'session')
            AND o.submission_id <> s.submission_id AND o.lease_until >= now()))
    ORDER BY s.order_no, s.deadline, s.submission_id
    LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
)
UPDATE outbox.submission s
SET lease_owner = %(owner)s, lease_until = now() + %(lease)s
FROM due
WHERE s.submission_id = due.submission_id
RETURNING s.submission_id, s.kind, s.key, s.action, s.state, s.content_hash, s.correlation_id, s.ssg_ref, s.attempts,
          s.created_at, s.last_sent_at, s.order_no, s.deadline
