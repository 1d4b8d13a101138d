-- Each part of Dagster's daemon: who beat last and how many seconds ago (by the clock of Postgres, in UTC).
SELECT daemon_type, daemon_id, extract(epoch FROM (now() AT TIME ZONE 'UTC') - "timestamp")::float8
FROM daemon_heartbeats ORDER BY daemon_type
