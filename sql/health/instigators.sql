-- Sensors and schedules that somebody has switched on or off since Dagster's first start.
SELECT instigator_body::json -> 'origin' ->> 'instigator_name',
       coalesce(instigator_body::json -> 'origin' ->> 'job_name', ''), status
FROM instigators
