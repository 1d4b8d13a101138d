-- Entries of the audit log, the newest first: about a key, of a person, under a correlation id, in a span of time.
SELECT seq, at, actor, role, action, entity, entity_key, correlation_id, details
FROM audit.entry
WHERE (%(entity)s = '' OR entity_key = %(entity)s OR entity = %(entity)s OR starts_with(entity_key, %(entity)s || ':')
       OR details @> jsonb_build_object('key', %(entity)s::text)
       OR details @> jsonb_build_object('trainee', %(entity)s::text)
       OR details @> jsonb_build_object('trainees', jsonb_build_array(%(entity)s::text)))
  AND (%(person)s = '' OR actor = %(person)s)
  AND (%(correlation)s = '' OR correlation_id = %(correlation)s)
  AND (%(action)s = '' OR action ILIKE '%%' || %(action)s || '%%')
  AND (%(since)s::timestamptz IS NULL OR at >= %(since)s)
  AND (%(until)s::timestamptz IS NULL OR at < %(until)s)
  AND (NOT %(saw)s OR action = ANY(%(sights)s)
       OR action = 'refused' AND entity = 'verb' AND entity_key = ANY(%(tried)s))
ORDER BY seq DESC
LIMIT %(last)s
