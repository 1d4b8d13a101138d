-- Unfinished submissions by state and by age in days (Singapore).
SELECT state, least(greatest(%(today)s - (created_at AT TIME ZONE 'Asia/Singapore')::date, 0), 15) AS days, count(*)
FROM outbox.submission
WHERE state IN ('planned', 'held', 'ready', 'sending', 'retry', 'unknown', 'rejected', 'dead')
GROUP BY 1, 2
ORDER BY 1, 2
