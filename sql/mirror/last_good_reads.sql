-- When a scope was last read whole, and when it was last read at all.
SELECT max(started_at) FILTER (WHERE mode = 'whole'), max(started_at)
FROM mirror.read
WHERE kind = %(kind)s AND scope = %(scope)s AND state = 'read'
