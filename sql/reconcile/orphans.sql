-- What the plan leaves alone because what it hangs on (enrolment, session, run) is cancelled here, and of which SSG holds
-- something else: nothing will be sent of it, so a person is told.
INSERT INTO judged (key, action, ssg_ref, elsewhere, remedy, moved, class, parent_missing, decided, changed_by, since)
SELECT r.key, 'none', m.ssg_ref, false, %(orphan_to_do)s, false, 'differs', false, false,
       CASE WHEN m.agreed_hash IS NULL THEN NULL
            WHEN m.agreed_hash = m.ssg_hash THEN 'we'
            WHEN m.agreed_hash = r.ssg_hash THEN 'somebody at SSG'
            WHEN r.valid_from > coalesce(m.updated_on, m.seen_at) THEN 'both sides, we last'
            ELSE 'both sides, somebody at SSG last' END,
       CASE WHEN m.agreed_hash = m.ssg_hash THEN r.valid_from ELSE coalesce(m.updated_on, m.seen_at) END
FROM odd o
JOIN {register} r ON r.key = o.key
JOIN {mirror} m ON m.ssg_ref = o.ssg_ref
WHERE o.ours_live
  AND NOT EXISTS (SELECT FROM judged j WHERE j.key = o.key)
  AND NOT EXISTS (SELECT FROM twin t WHERE t.ssg_ref = o.ssg_ref)
