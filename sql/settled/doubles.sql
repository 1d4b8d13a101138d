-- Runs with two live records at SSG for one of ours.
INSERT INTO looked_part (run_code, kind, records, odd)
SELECT split_part(x.key, '|', 1), %(kind)s, 0, true
FROM {mirror} AS x
WHERE x.live AND x.key IS NOT NULL
GROUP BY x.key
HAVING count(*) > 1
