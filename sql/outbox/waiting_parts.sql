-- What waits for approval, part by part.
SELECT s.plan_id, p.plan_hash, s.kind, s.action, count(*),
       (SELECT array_agg(DISTINCT a.approved_by) FROM outbox.approval a
         WHERE a.plan_hash = p.plan_hash AND a.kind = s.kind AND a.action = s.action AND a.expires_at > now()),
       array_agg(DISTINCT s.upload_id)
FROM outbox.submission s
JOIN outbox.plan p USING (plan_id)
WHERE s.state = 'planned'
GROUP BY s.plan_id, p.plan_hash, s.kind, s.action
ORDER BY min(s.order_no), s.kind, s.action
