-- The last read of every scope that still counts: since the last pull began reading trainers.
SELECT DISTINCT ON (r.kind, r.scope) r.kind, r.scope, r.state, r.records, r.error_code, r.sentence
FROM mirror.read r
WHERE r.started_at >= (SELECT max(started_at) FROM mirror.read WHERE kind = 'trainer')
ORDER BY r.kind, r.scope, r.read_id DESC
