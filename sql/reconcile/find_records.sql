-- Findings about records as a whole: those that are not there, that are under way, and those whose being there differs.
INSERT INTO finding.discrepancy (review_id, class, kind, key, ssg_ref, field, ours, theirs, since, what_to_do, comparison,
                                 changed_by)
SELECT %(review)s, j.class, %(kind)s, j.key, j.ssg_ref,
       CASE WHEN j.moved THEN 'run_code' WHEN j.elsewhere AND j.action = 'create' OR j.class = 'differs' THEN 'live' END,
       CASE WHEN j.moved THEN split_part(j.key, '|', 1)
            WHEN j.elsewhere AND j.action = 'create' THEN 'yes'
            WHEN j.class = 'differs' THEN CASE WHEN j.action = 'cancel' THEN 'no' ELSE 'yes' END
            ELSE j.action END,
       CASE WHEN j.moved THEN j.moved_to
            WHEN j.elsewhere AND j.action = 'create' THEN 'taken away'
            WHEN j.class = 'differs' THEN 'yes'
            ELSE j.sentence END,
       coalesce(j.since, now()),
       CASE WHEN (j.elsewhere OR j.decided) AND j.class NOT IN ('unknown outcome', 'dead letter') THEN %(to_resolve)s ELSE coalesce(j.remedy, todo.text) END,
       CASE WHEN j.changed_by LIKE '%%SSG%%' THEN 'SSG to register' ELSE 'register to SSG' END, j.changed_by
FROM judged j
JOIN unnest(%(todo_classes)s::text[], %(todo_texts)s::text[]) AS todo (class, text) ON todo.class = j.class
WHERE (j.class <> 'differs' OR j.moved OR NOT EXISTS (SELECT FROM field_of f WHERE f.key = j.key))
  AND NOT (%(dark)s AND j.class IN ('missing there', 'waiting') AND NOT j.elsewhere
           AND (j.class = 'missing there' OR j.parent_missing))
  AND NOT EXISTS (SELECT FROM dark WHERE dark.key = j.key AND NOT j.elsewhere
                  AND (j.class = 'missing there' OR j.parent_missing))
  AND NOT EXISTS (SELECT FROM settled s WHERE s.key = j.key)
