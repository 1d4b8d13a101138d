-- The sessions of these runs, for an attendance sheet whose columns bear only dates.
SELECT run_code, session_no, session_date, start_time
FROM register.session
WHERE run_code = ANY(%(runs)s::text[]) AND live
ORDER BY run_code, session_no
