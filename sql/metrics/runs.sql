-- Runs of Dagster by job and status.
SELECT pipeline_name, status, count(*) FROM runs GROUP BY pipeline_name, status
