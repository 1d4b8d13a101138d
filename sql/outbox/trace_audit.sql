-- Audit entries about what was asked, or about the chains it led to.
SELECT seq, at, actor, role, action, entity, entity_key, correlation_id, details
FROM audit.entry
WHERE entity_key = ANY(%(entities)s) OR entity_key = %(asked)s OR correlation_id = %(asked)s
ORDER BY seq
LIMIT 500
