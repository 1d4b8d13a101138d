-- Submissions that anything a person holds in hand leads to, newest first, with what it was taken for.
SELECT s.*, array_remove(ARRAY[
           CASE WHEN s.submission_id = %(number)s THEN 'submission' END,
           CASE WHEN s.ssg_ref = %(asked)s OR s.kind || ':' || s.key = ANY(%(at_ssg)s) THEN 'SSG reference' END,
           CASE WHEN s.key = %(asked)s THEN 'record' END,
           CASE WHEN s.run_code = %(asked)s THEN 'course run' END,
           CASE WHEN %(asked)s = ANY(string_to_array(s.key, '|')) AND s.key <> %(asked)s AND s.run_code <> %(asked)s
                THEN 'trainee' END,
           CASE WHEN s.upload_id = %(asked)s THEN 'upload' END,
           CASE WHEN s.plan_id = %(asked)s THEN 'plan' END,
           CASE WHEN s.idempotency_key = %(asked)s THEN 'idempotency key' END,
           CASE WHEN s.correlation_id = %(asked)s OR left(s.correlation_id, 16) = left(%(asked)s, 16)
                     AND length(%(asked)s) IN (16, 32) THEN 'correlation id' END], NULL) AS matched
FROM outbox.submission s
WHERE s.submission_id = %(number)s OR s.ssg_ref = %(asked)s OR s.kind || ':' || s.key = ANY(%(at_ssg)s)
   OR s.key = %(asked)s OR s.run_code = %(asked)s OR %(asked)s = ANY(string_to_array(s.key, '|'))
   OR s.upload_id = %(asked)s OR s.plan_id = %(asked)s OR s.idempotency_key = %(asked)s OR s.correlation_id = %(asked)s
   OR length(%(asked)s) IN (16, 32) AND left(s.correlation_id, 16) = left(%(asked)s, 16)
ORDER BY s.submission_id DESC
LIMIT %(most)s
