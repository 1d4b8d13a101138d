-- How many records of each kind SSG holds, for the guards.
SELECT kind, count(*) FROM mirror.live GROUP BY kind
