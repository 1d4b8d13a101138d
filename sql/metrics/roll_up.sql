-- Sum up attempts that are over for good: up to the first that is under way, and none of the last minute, as numbers
-- are given before they are committed. One who never ended (its worker was killed) counts as over after an hour.
WITH mark AS (
    SELECT coalesce((SELECT upto FROM operations.rolled_up WHERE what = 'attempt'), 0) AS upto
), settled AS (
    SELECT greatest((SELECT upto FROM mark), least(
        (SELECT max(attempt_id) FROM outbox.attempt
         WHERE attempt_id > (SELECT upto FROM mark) AND started_at < now() - interval '1 minute'),
        (SELECT min(attempt_id) - 1 FROM outbox.attempt
         WHERE attempt_id > (SELECT upto FROM mark) AND finished_at IS NULL AND started_at > now() - interval '1 hour')
    )) AS upto
), summed AS (
    SELECT s.kind, s.action, a.step, coalesce(a.error_class, 'ok') AS class,
           width_bucket(a.seconds, %(limits)s::float8[]) AS bucket, count(*) AS calls, sum(a.seconds) AS seconds
    FROM outbox.attempt a
    JOIN outbox.submission s USING (submission_id)
    WHERE a.attempt_id > (SELECT upto FROM mark) AND a.attempt_id <= (SELECT upto FROM settled)
      AND a.finished_at IS NOT NULL AND a.seconds IS NOT NULL
    GROUP BY 1, 2, 3, 4, 5
), kept AS (
    INSERT INTO operations.attempt_total AS t (kind, action, step, class, bucket, calls, seconds)
    SELECT kind, action, step, class, bucket, calls, seconds FROM summed
    ON CONFLICT (kind, action, step, class, bucket) DO UPDATE
    SET calls = t.calls + excluded.calls, seconds = t.seconds + excluded.seconds
)
INSERT INTO operations.rolled_up (what, upto) SELECT 'attempt', upto FROM settled WHERE upto IS NOT NULL
ON CONFLICT (what) DO UPDATE SET upto = excluded.upto
