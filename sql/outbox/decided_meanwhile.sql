-- What could be sent again now, and of which a person decided meanwhile that SSG's side stands (sql/diff/resolved.sql).
UPDATE outbox.submission s
SET state = 'superseded', finished_at = now(), reason = 'decided by ' || x.made_by || ': ' || x.how
FROM outbox.resolution x
JOIN {register} r ON r.key = x.key
WHERE s.submission_id = ANY(%(ids)s) AND s.kind = %(kind)s AND s.state IN ('ready', 'retry') AND s.lease_owner IS NULL
  AND x.kind = s.kind AND x.key = s.key AND x.ended_at IS NULL AND x.how IN ('theirs', 'ignore')
  AND (x.until IS NULL OR x.until >= %(today)s)
  AND x.register_hash = r.ssg_hash AND x.register_live = r.live
