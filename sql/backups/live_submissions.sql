-- What a restored outbox believes to be under way, by what can be done about it. A search needs its parents: what has
-- none at SSG, as far as the dump knows, is planned anew after SSG was read.
SELECT s.submission_id, s.state,
       s.parents = '{{}}' OR NOT EXISTS (
           SELECT FROM unnest(s.parents) AS p (parent)
           WHERE NOT mirror.holds(split_part(p.parent, ':', 1), substr(p.parent, strpos(p.parent, ':') + 1)))
FROM outbox.submission s
WHERE s.state IN ('planned', 'held', 'ready', 'sending', 'retry', 'rejected', 'dead', 'unknown')
