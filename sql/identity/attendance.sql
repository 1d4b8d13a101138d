-- Attendance has no reference at SSG: ours is made of the session's and the mark of the trainee's number. Both in one go.
UPDATE {table} t
SET nric_mark = CASE WHEN t.nric_mark IS NOT NULL THEN coalesce(m.new, substr(sha256(t.nric_mark || %(salt)s::bytea), 1, 16)) END,
    ssg_ref = CASE WHEN x.mark IS NULL THEN t.ssg_ref ELSE split_part(t.ssg_ref, ':', 1) || ':' || encode(
        CASE WHEN x.mark = t.nric_mark THEN coalesce(m.new, substr(sha256(t.nric_mark || %(salt)s::bytea), 1, 16))
             ELSE coalesce((SELECT new FROM identity.remark WHERE old = x.mark), substr(sha256(x.mark || %(salt)s::bytea), 1, 16))
        END, 'hex') END
FROM {table} o
LEFT JOIN identity.remark m ON m.old = o.nric_mark
CROSS JOIN LATERAL (
    SELECT CASE WHEN o.ssg_ref ~ ':[0-9a-f]{{32}}$' THEN decode(right(o.ssg_ref, 32), 'hex') END AS mark
) AS x
WHERE t.ctid = o.ctid AND (t.nric_mark IS NOT NULL OR x.mark IS NOT NULL)
