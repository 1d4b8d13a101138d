-- Uploads by state, and their rows by outcome.
SELECT state, count(*), coalesce(sum(accepted), 0)::bigint, coalesce(sum(unchanged), 0)::bigint,
       coalesce(sum(rejected), 0)::bigint, coalesce(sum(superseded), 0)::bigint
FROM intake.upload GROUP BY state
