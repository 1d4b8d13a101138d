-- Who decided what about one run: approvals of its changes, holds, resolutions, dead letters retried or discarded.
SELECT at, person, what
FROM (
    SELECT a.approved_at AS at, a.approved_by AS person,
           format('approved %%s %%s (%%s) in plan %%s by the policy "%%s"', s.changes,
                  CASE WHEN s.changes = 1 THEN 'change' ELSE 'changes' END, s.kind || ' ' || s.action, a.plan_id,
                  a.policy) AS what
    FROM (SELECT plan_id, kind, action, count(*) AS changes FROM outbox.submission
          WHERE run_code = %(run)s AND state <> 'superseded' GROUP BY plan_id, kind, action) s
    JOIN outbox.approval a ON a.plan_id = s.plan_id AND a.kind = s.kind AND a.action = s.action
    UNION ALL
    SELECT h.held_at, h.held_by, format('held %%s', h.key)
    FROM outbox.hold h WHERE split_part(h.key, '|', 1) = %(run)s
    UNION ALL
    SELECT h.released_at, h.released_by, format('released %%s', h.key)
    FROM outbox.hold h WHERE split_part(h.key, '|', 1) = %(run)s AND h.released_at IS NOT NULL
    UNION ALL
    SELECT r.made_at, r.made_by, format('resolved %%s %%s: %%s', r.kind, r.key, r.how)
    FROM outbox.resolution r WHERE split_part(r.key, '|', 1) = %(run)s AND r.kind <> 'trainer'
    UNION ALL
    SELECT e.at, e.actor, format('%%s, submission %%s', e.action, e.entity_key)
    FROM audit.entry e
    JOIN outbox.submission s ON s.submission_id::text = e.entity_key
    WHERE e.entity = 'submission' AND s.run_code = %(run)s
      AND e.action IN ('dead letter retried', 'dead letter discarded', 'held change discarded')
) decisions
ORDER BY at, person, what
