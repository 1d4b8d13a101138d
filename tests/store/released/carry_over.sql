-- What an older plan wanted and this one still wants belongs to this one, so that one approval covers it; what was
-- approved and whose approval has run out must be approved again. Order and deadline are always those of today.
UPDATE outbox.submission s
SET plan_id = CASE WHEN s.state IN ('planned', 'held') OR s.approved_until <= now() THEN %(plan_id)s ELSE s.plan_id END,
    state = CASE WHEN s.state IN ('ready', 'retry') AND s.approved_until <= now() THEN 'planned' ELSE s.state END,
    parents = p.parents, follows = p.follows, deadline = p.deadline, due = p.due, ssg_ref = p.ssg_ref
FROM planned p
WHERE s.idempotency_key = p.idempotency_key
  AND s.state IN ('planned', 'held', 'ready', 'retry')
  AND s.lease_owner IS NULL
  AND (s.state IN ('planned', 'held') AND s.plan_id <> %(plan_id)s
       OR s.state IN ('ready', 'retry') AND s.approved_until <= now()
       OR (s.parents, s.follows, s.deadline, s.due, s.ssg_ref)
          IS DISTINCT FROM (p.parents, p.follows, p.deadline, p.due, p.ssg_ref))
