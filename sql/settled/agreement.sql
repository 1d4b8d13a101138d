-- Live records of a kind by run, and whether both sides are at one on all of them. What names no run at SSG belongs to
-- that of its key.
INSERT INTO looked_part (run_code, kind, records, odd)
SELECT b.run_code, %(kind)s, count(*) FILTER (WHERE b.live), bool_or(b.odd)
FROM (
    SELECT coalesce(r.run_code, m.run_code, split_part(m.key, '|', 1)) AS run_code, r.live,
           CASE WHEN r.key IS NULL THEN m.counts
                WHEN m.ssg_ref IS NULL THEN r.live
                ELSE NOT r.live OR m.ssg_hash IS DISTINCT FROM r.ssg_hash END AS odd
    FROM (SELECT x.key, x.{run} AS run_code, x.ssg_hash, x.live FROM {register} AS x) AS r
    FULL JOIN (SELECT x.key, x.{run} AS run_code, x.ssg_hash, x.ssg_ref, {counts} AS counts FROM {mirror} AS x WHERE x.live) AS m
      ON m.key = r.key
) AS b
WHERE b.run_code IS NOT NULL
GROUP BY 1
