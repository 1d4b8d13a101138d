-- Changes of these records that are planned or ready and were never sent, and those that are on their way.
SELECT count(*) FILTER (WHERE s.state IN ('planned', 'ready') AND s.attempts = 0) AS not_sent,
       count(*) FILTER (WHERE s.state IN ('sending', 'unknown', 'retry') OR s.state = 'ready' AND s.attempts > 0) AS sent
FROM outbox.submission s
JOIN unnest(%(kinds)s::text[], %(keys)s::text[]) AS r (kind, key) ON r.kind = s.kind AND r.key = s.key
