-- Attendance has no reference at SSG: ours is made of the session's and the mark of the trainee's number.
UPDATE {table} t
SET ssg_ref = split_part(t.ssg_ref, ':', 1) || ':' || encode(
    coalesce((SELECT new FROM identity.remark WHERE old = decode(split_part(t.ssg_ref, ':', 2), 'hex')),
             substr(sha256(decode(split_part(t.ssg_ref, ':', 2), 'hex') || %(salt)s::bytea), 1, 16)), 'hex')
WHERE t.ssg_ref ~ ':[0-9a-f]{{32}}$'
