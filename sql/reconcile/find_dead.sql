-- What we hold as cancelled and SSG does not, and of which the plan says nothing yet or ever: a run waits until its
-- enrolments are taken back, its sessions go with it, and nothing of ours takes back a trainer or a fee.
INSERT INTO finding.discrepancy (review_id, class, kind, key, ssg_ref, field, ours, theirs, since, what_to_do, comparison,
                                 changed_by)
SELECT %(review)s, %(dead_class)s, %(kind)s, o.key, o.ssg_ref, 'live', 'no', 'yes', r.valid_from, %(dead_to_do)s,
       'register to SSG', 'we'
FROM odd o
JOIN {register} r ON r.key = o.key AND NOT r.live
JOIN {mirror} m ON m.ssg_ref = o.ssg_ref
WHERE {counts}
  AND NOT EXISTS (SELECT FROM judged j WHERE j.key = o.key)
  AND NOT EXISTS (SELECT FROM twin t WHERE t.ssg_ref = o.ssg_ref)
  AND NOT EXISTS (SELECT FROM settled s WHERE s.key = o.key)
