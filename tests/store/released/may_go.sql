(s.state = 'unknown' OR s.approved_until > now()
    AND NOT EXISTS (
        SELECT FROM unnest(s.parents) AS p (parent)
        WHERE NOT EXISTS (
            SELECT FROM mirror.live l
            WHERE l.kind = split_part(p.parent, ':', 1) AND l.key = substr(p.parent, strpos(p.parent, ':') + 1)))
    AND NOT EXISTS (
        SELECT FROM unnest(s.follows) AS f (change)
        JOIN outbox.submission o ON o.kind = split_part(f.change, ':', 1)
                                AND o.key = substr(f.change, strpos(f.change, ':') + 1)
        WHERE o.state IN ('planned', 'held', 'ready', 'sending', 'retry', 'unknown', 'rejected', 'dead')))
