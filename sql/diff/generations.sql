-- How often each record was written at SSG, or given up for a newer plan, before: part of the idempotency key, so that the same content may be
-- right again after something else was.
SELECT kind, key, count(*)
FROM outbox.submission AS s
WHERE state IN ('accepted', 'superseded') AND kind = %(kind)s AND key = ANY(%(keys)s)
GROUP BY kind, key
