-- How large Dagster's own storage is, and the age of its oldest ended run in days.
SELECT pg_database_size(current_database()), greatest(0, (SELECT reltuples FROM pg_class WHERE oid = 'event_logs'::regclass))::bigint,
       (SELECT count(*) FROM runs),
       coalesce((SELECT extract(epoch FROM (now() AT TIME ZONE 'UTC') - min(create_timestamp)) / 86400 FROM runs
                 WHERE status IN ('SUCCESS', 'FAILURE', 'CANCELED')), 0)::float8
