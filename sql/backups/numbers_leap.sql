-- A database that was brought back does not know how far numbers were given since: ours go on far behind them, and
-- references of trainees, which people read, a thousand on.
SELECT setval(format('%I.%I', schemaname, sequencename)::regclass,
              coalesce(last_value, 0) + CASE WHEN schemaname = 'identity' THEN 1000 ELSE 1000000 END)
FROM pg_sequences
WHERE schemaname IN ('outbox', 'mirror', 'finding', 'alarm')
   OR schemaname = 'identity' AND sequencename = 'trainee_number'
