-- When the next submission is due whose parents live at SSG, and how many are under a lease now.
SELECT min(s.next_attempt_at) FILTER (WHERE s.lease_owner IS NULL AND NOT EXISTS (
           SELECT FROM unnest(s.parents) AS p (parent)
           WHERE NOT EXISTS (
               SELECT FROM mirror.live l
               WHERE l.kind = split_part(p.parent, ':', 1)
                 AND l.key = substr(p.parent, strpos(p.parent, ':') + 1)))),
       count(*) FILTER (WHERE s.lease_until >= now())
FROM outbox.submission s
WHERE s.state IN ('ready', 'retry', 'unknown', 'sending')
