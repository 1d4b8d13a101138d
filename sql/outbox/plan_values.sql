-- SSG's value and ours of every field of these records.
SELECT r.key, f.name, f.theirs, f.ours
FROM {register} r
{trainee}
LEFT JOIN LATERAL (SELECT * FROM {mirror} m WHERE m.key = r.key AND m.live ORDER BY m.ssg_ref LIMIT 1) AS m ON true
CROSS JOIN LATERAL (VALUES {pairs}) AS f (name, theirs, ours)
WHERE r.key = ANY(%(keys)s)
