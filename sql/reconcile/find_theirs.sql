-- What SSG holds and we do not: once more than we do, or not at all.
INSERT INTO finding.discrepancy (review_id, class, kind, key, ssg_ref, field, ours, theirs, since, what_to_do, comparison,
                                 changed_by)
SELECT %(review)s, seen.class, %(kind)s, coalesce(seen.twin_of, m.key), m.ssg_ref, NULL, NULL, {described},
       coalesce(m.created_on, m.first_seen_at),
       CASE seen.class WHEN 'duplicated there' THEN %(to_do_twice)s ELSE %(to_do_here)s END, 'SSG to register',
       'somebody at SSG'
FROM (
    SELECT t.ssg_ref, t.key AS twin_of, 'duplicated there' AS class FROM twin t
    UNION ALL
    SELECT o.ssg_ref, NULL, 'missing here' FROM odd o
    WHERE o.key IS NULL
      AND NOT EXISTS (SELECT FROM twin t WHERE t.ssg_ref = o.ssg_ref)
      AND NOT EXISTS (SELECT FROM elsewhere_now e WHERE e.ssg_ref = o.ssg_ref)
) AS seen
JOIN {mirror} m ON m.ssg_ref = seen.ssg_ref
WHERE {counts}
  AND NOT EXISTS (SELECT FROM settled s WHERE s.key = m.ssg_ref)
