-- What the last read of each kind cost, summed over its scopes: the reads since the last one of trainers began.
SELECT kind, count(*), count(*) FILTER (WHERE state = 'read'), count(*) FILTER (WHERE mode = 'changes'),
       sum(records)::bigint, sum(calls)::bigint, sum(pages)::bigint, sum(bytes)::bigint
FROM mirror.read
WHERE started_at >= (SELECT max(started_at) FROM mirror.read WHERE kind = 'trainer')
GROUP BY kind
ORDER BY kind
