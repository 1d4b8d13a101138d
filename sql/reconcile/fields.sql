-- Field by field, ours and theirs, of the records that differ.
SELECT r.key, f.name, f.ours, f.theirs, coalesce(m.updated_on, m.seen_at)
FROM {register} r
{trainee}
JOIN {mirror} m ON m.key = r.key AND m.live
CROSS JOIN LATERAL (VALUES {pairs}) AS f (name, ours, theirs)
WHERE r.key = ANY(%(keys)s) AND coalesce(f.ours, '') <> coalesce(f.theirs, '')
ORDER BY r.key, f.name
