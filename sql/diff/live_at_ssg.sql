-- How many records of these kinds SSG holds, for the guards.
SELECT kind, count(*) FROM mirror.live WHERE kind = ANY(%(kinds)s) GROUP BY kind
