-- How SSG answered on each day of a month: reads of scopes that were whole, calls of submissions that got an answer, and
-- how long the middle and the slow ones took. A call without an HTTP status, or with one of a broken server, is none.
WITH reads AS (
    SELECT (started_at AT TIME ZONE 'Asia/Singapore')::date AS day, count(*) AS reads,
           count(*) FILTER (WHERE state = 'read') AS whole
    FROM mirror.read
    WHERE state <> 'reading' AND finished_at IS NOT NULL
      AND started_at >= %(first)s::timestamp AT TIME ZONE 'Asia/Singapore'
      AND started_at < %(next)s::timestamp AT TIME ZONE 'Asia/Singapore'
    GROUP BY 1
), calls AS (
    SELECT (started_at AT TIME ZONE 'Asia/Singapore')::date AS day, count(*) AS calls,
           count(*) FILTER (WHERE http_status < 500 OR http_status IS NULL AND outcome = 'accepted') AS answered,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) AS middle,
           percentile_cont(0.95) WITHIN GROUP (ORDER BY seconds) AS slow
    FROM outbox.attempt
    WHERE finished_at IS NOT NULL
      AND started_at >= %(first)s::timestamp AT TIME ZONE 'Asia/Singapore'
      AND started_at < %(next)s::timestamp AT TIME ZONE 'Asia/Singapore'
    GROUP BY 1
)
SELECT day, coalesce(reads, 0), coalesce(whole, 0), coalesce(calls, 0), coalesce(answered, 0), middle, slow
FROM reads
FULL JOIN calls USING (day)
ORDER BY day
