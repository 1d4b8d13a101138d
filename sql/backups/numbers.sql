-- How far each number of ours was given out: submissions, attempts, reads, alarms.
SELECT schemaname, sequencename, last_value FROM pg_sequences
WHERE last_value IS NOT NULL AND schemaname IN ('outbox', 'mirror', 'finding', 'alarm')
