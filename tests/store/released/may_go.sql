(s.state = 'unknown' OR s.approved_until > now()
    AND (s.parents = '{}' OR NOT EXISTS (
        SELECT FROM unnest(s.parents) AS p (parent)
        WHERE NOT mirror.holds(split_part(p.parent, ':', 1), substr(p.parent, strpos(p.parent, ':') + 1))))
    AND (s.follows = '{}' OR NOT EXISTS (
        SELECT FROM unnest(s.follows) AS f (change)
        JOIN outbox.submission o ON o.kind = split_part(f.change, ':', 1)
                                AND o.key = substr(f.change, strpos(f.change, ':') + 1)
        WHERE o.state IN ('planned', 'held', 'ready', 'sending', 'retry', 'unknown', 'rejected', 'dead'))))
