-- What came in during a month, by source: files, rows, what became of them, and the share that was rejected.
SELECT source, count(*), sum(rows)::bigint, sum(accepted)::bigint, sum(unchanged)::bigint, sum(rejected)::bigint,
       sum(superseded)::bigint, count(*) FILTER (WHERE state IN ('held', 'refused')),
       sum(rejected)::float8 / nullif(sum(rows), 0)
FROM intake.upload
WHERE state <> 'undone'
  AND received_at >= %(first)s::timestamp AT TIME ZONE 'Asia/Singapore'
  AND received_at < %(next)s::timestamp AT TIME ZONE 'Asia/Singapore'
GROUP BY source
ORDER BY source
