-- Where the sequences that an intake moves stand; no value for one that was never asked.
SELECT format('%I.%I', schemaname, sequencename) AS name, last_value, start_value
FROM pg_sequences
WHERE schemaname IN ('intake', 'identity', 'register')
ORDER BY 1
