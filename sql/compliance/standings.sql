-- Where the records of one kind stand against their last days: one row a run and standing, and one a run, last day
-- and standing (GROUPING SETS). The standings are those of deadlines.standing; a test holds the two together.
-- A record that our very first read found at SSG, without a creation time and never sent by us, was there before
-- we looked: when it came cannot be known, so it is never called late.
WITH due AS (
    SELECT *
    FROM unnest(%(run_codes)s::text[], %(bases)s::date[], %(last_days)s::date[]) AS due (run_code, base, last_day)
),
first_read AS (
    SELECT min(finished_at) AS finished_at FROM mirror.read WHERE kind = %(kind)s AND state = 'read'
),
sent AS (
    SELECT DISTINCT key FROM outbox.submission AS s WHERE kind = %(kind)s AND state = 'accepted'
),
there AS (
    SELECT m.key,
           min(CASE WHEN m.created_on IS NOT NULL THEN m.created_on
                    WHEN m.first_seen_at <= first_read.finished_at AND sent.key IS NULL THEN '-infinity'
                    ELSE m.first_seen_at END) AS done_at
    FROM ({there}) m
    CROSS JOIN first_read
    LEFT JOIN sent ON sent.key = m.key
    GROUP BY m.key
),
placed AS (
    SELECT records.run_code, records.trainee_ref, due.last_day,
           (there.done_at AT TIME ZONE 'Asia/Singapore')::date AS done_on,
           there.key IS NOT NULL AS done
    FROM ({records}) records
    JOIN due ON due.run_code = records.run_code AND due.base = records.base
    LEFT JOIN there ON there.key = records.key
),
standing AS (
    SELECT placed.*,
           CASE WHEN done AND done_on > last_day THEN 'met late'
                WHEN done THEN 'met'
                WHEN last_day < %(today)s THEN 'missed'
                WHEN last_day <= %(today)s + %(near_days)s::integer THEN 'near'
                ELSE 'ahead' END AS standing
    FROM placed
)
SELECT run_code,
       standing,
       {day} AS last_day,
       min(last_day) AS first_last_day,
       max(last_day) AS latest_last_day,
       max(done_on) FILTER (WHERE standing = 'met late') AS done_on,
       count(*) AS records,
       count(DISTINCT trainee_ref) AS learners
FROM standing
GROUP BY GROUPING SETS ((run_code, standing){by_day})
ORDER BY 1, 2, 3 NULLS FIRST
