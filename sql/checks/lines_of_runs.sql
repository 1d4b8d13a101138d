-- The staged rows of these course runs.
SELECT s.line, s.run_code
FROM {stage} s
WHERE s.run_code = ANY(%(runs)s) AND s.live
