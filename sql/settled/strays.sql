-- Records at SSG that two runs of ours have to do with, by run, key or what was agreed on: neither run can be looked at
-- without the other.
INSERT INTO looked_part (run_code, kind, records, odd)
SELECT DISTINCT named.run, %(kind)s, 0, true
FROM (SELECT x.{run} AS run_code, split_part(x.key, '|', 1) AS by_key, split_part(x.agreed_key, '|', 1) AS agreed
      FROM {mirror} AS x) AS m,
     LATERAL (VALUES (m.run_code), (m.by_key), (m.agreed)) AS named (run)
WHERE (m.run_code <> m.by_key OR m.run_code <> m.agreed OR m.by_key <> m.agreed) AND named.run IS NOT NULL
