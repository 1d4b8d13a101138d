-- The days from which deadlines of one kind count: one row a run and day.
SELECT DISTINCT run_code, base
FROM ({records}) records
WHERE base IS NOT NULL
