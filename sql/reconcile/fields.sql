-- Field by field, ours and theirs, of the records that differ.
CREATE TEMP TABLE field_of ON COMMIT DROP AS
SELECT j.key, j.ssg_ref, f.name, f.ours, f.theirs
FROM judged j
JOIN {register} r ON r.key = j.key
{trainee}
JOIN {mirror} m ON m.ssg_ref = j.ssg_ref AND m.live
CROSS JOIN LATERAL (VALUES {pairs}) AS f (name, ours, theirs)
WHERE j.class = 'differs' AND j.action <> 'create' AND {stands} AND coalesce(f.ours, '') <> coalesce(f.theirs, '')
