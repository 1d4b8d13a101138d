-- Runs that are not settled, and whether both sides agree on each: those that a look left so, those touched since, and
-- those that no look has seen.
WITH touched AS MATERIALIZED (SELECT DISTINCT run_code FROM finding.touched_run)
SELECT l.run_code, l.agreed AND t.run_code IS NULL
FROM finding.looked_run l
LEFT JOIN touched t ON t.run_code = l.run_code
WHERE NOT l.settled
UNION
SELECT run_code, false FROM touched
WHERE NOT EXISTS (SELECT FROM finding.looked_run l WHERE l.run_code = touched.run_code AND NOT l.settled)
UNION
SELECT r.key, false FROM register.course_run r
WHERE NOT EXISTS (SELECT FROM finding.looked_run l WHERE l.run_code = r.key)
ORDER BY 1
