-- Runs of the last three days that failed, from the audit log.
SELECT DISTINCT entity_key, coalesce(details ->> 'job', 'unknown')
FROM audit.entry
WHERE action = 'run failed' AND at > %(now)s - interval '3 days'
ORDER BY 1
