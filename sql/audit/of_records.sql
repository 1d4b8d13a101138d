-- Entries about records of one trainee (their keys name the trainee), such as a decision about a dead letter or a
-- difference; those about the trainee are found by show.sql. Reads the whole log.
SELECT seq, at, actor, role, action, entity, entity_key, correlation_id, details
FROM audit.entry
WHERE %(ref)s = ANY (string_to_array(entity_key, '|')) AND entity_key <> %(ref)s
   OR %(ref)s = ANY (string_to_array(details ->> 'record', '|'))
ORDER BY seq DESC
