-- Places in a pool that runs hold which have ended or are no longer there.
SELECT s.concurrency_key, count(*)
FROM concurrency_slots s
LEFT JOIN runs r ON r.run_id = s.run_id
WHERE s.run_id IS NOT NULL AND NOT s.deleted
  AND (r.run_id IS NULL OR r.status IN ('SUCCESS', 'FAILURE', 'CANCELED'))
  AND coalesce(r.update_timestamp, s.create_timestamp) < (now() AT TIME ZONE 'UTC') - interval '2 minutes'
GROUP BY 1 ORDER BY 1
