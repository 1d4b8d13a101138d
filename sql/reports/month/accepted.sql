-- What SSG accepted during a month, by kind; of what has a last day, how much came in time.
SELECT kind, count(*) FILTER (WHERE action = 'create'), count(*) FILTER (WHERE action = 'update'),
       count(*) FILTER (WHERE action = 'cancel'), count(*),
       count(*) FILTER (WHERE action <> 'cancel' AND deadline IS NOT NULL),
       count(*) FILTER (WHERE action <> 'cancel' AND deadline IS NOT NULL
                          AND (finished_at AT TIME ZONE 'Asia/Singapore')::date <= deadline)
FROM outbox.submission
WHERE state = 'accepted'
  AND finished_at >= %(first)s::timestamp AT TIME ZONE 'Asia/Singapore'
  AND finished_at < %(next)s::timestamp AT TIME ZONE 'Asia/Singapore'
GROUP BY kind
ORDER BY kind
