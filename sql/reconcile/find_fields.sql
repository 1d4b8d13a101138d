-- One finding a field that differs; personal values are compared by their marks and not shown.
INSERT INTO finding.discrepancy (review_id, class, kind, key, ssg_ref, field, ours, theirs, since, what_to_do, comparison,
                                 changed_by)
SELECT %(review)s, j.class, %(kind)s, j.key, j.ssg_ref, f.name,
       CASE WHEN f.name = ANY(%(personal)s) THEN 'sealed' ELSE f.ours END,
       CASE WHEN f.name = ANY(%(personal)s) THEN 'sealed' ELSE f.theirs END,
       coalesce(j.since, now()), CASE WHEN j.elsewhere OR j.decided THEN %(to_resolve)s ELSE coalesce(j.remedy, %(todo)s) END,
       CASE WHEN j.changed_by LIKE '%%SSG%%' THEN 'SSG to register' ELSE 'register to SSG' END, j.changed_by
FROM judged j
JOIN field_of f USING (key)
WHERE NOT EXISTS (SELECT FROM settled s WHERE s.key = j.key)
