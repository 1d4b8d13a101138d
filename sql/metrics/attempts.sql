-- Finished attempts by what was called and how it ended, by limit of seconds: the totals, and what came after them.
WITH mark AS (
    SELECT coalesce((SELECT upto FROM operations.rolled_up WHERE what = 'attempt'), 0) AS upto
), newest AS (
    SELECT s.kind, s.action, a.step, coalesce(a.error_class, 'ok') AS class,
           width_bucket(a.seconds, %(limits)s::float8[]) AS bucket, count(*) AS calls, sum(a.seconds) AS seconds
    FROM outbox.attempt a
    JOIN outbox.submission s USING (submission_id)
    WHERE a.attempt_id > (SELECT upto FROM mark) AND a.finished_at IS NOT NULL AND a.seconds IS NOT NULL
    GROUP BY 1, 2, 3, 4, 5
)
SELECT kind, action, step, class, bucket, sum(calls)::bigint, sum(seconds)::float8
FROM (SELECT kind, action, step, class, bucket, calls, seconds FROM operations.attempt_total
      UNION ALL SELECT kind, action, step, class, bucket, calls, seconds FROM newest) AS every
GROUP BY 1, 2, 3, 4, 5
ORDER BY 1, 2, 3, 4, 5
