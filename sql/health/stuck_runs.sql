-- Runs of Dagster that are under way for longer than they may be, by state.
SELECT run_id, pipeline_name, status,
       extract(epoch FROM (now() AT TIME ZONE 'UTC') - coalesce(
           to_timestamp(start_time) AT TIME ZONE 'UTC', create_timestamp))::float8 AS seconds
FROM runs
WHERE status = 'STARTED' AND start_time < extract(epoch FROM now()) - %(running)s
   OR status IN ('NOT_STARTED', 'STARTING', 'QUEUED', 'CANCELING', 'MANAGED')
      AND update_timestamp < (now() AT TIME ZONE 'UTC') - %(waiting)s * interval '1 second'
ORDER BY id
LIMIT 20
