-- Note what was found in runs on which both sides agreed (or that were settled) and that nothing touched since.
INSERT INTO finding.overlooked (run_code, found_on, stage, records)
SELECT f.run_code, %(today)s, %(stage)s, f.records
FROM unnest(%(runs)s::text[], %(counts)s::bigint[]) AS f (run_code, records)
JOIN finding.looked_run l ON l.run_code = f.run_code AND l.agreed AND (l.settled OR NOT %(settled)s)
WHERE NOT EXISTS (SELECT FROM finding.touched_run t WHERE t.run_code = f.run_code)
ON CONFLICT (run_code, found_on, stage) DO NOTHING
