-- References of ours that are made of the mark of the trainee's number.
UPDATE {table} t
SET ssg_ref = split_part(t.ssg_ref, ':', 1) || ':' || md5(random()::text || clock_timestamp()::text)
WHERE right(t.ssg_ref, 33) = ':' || encode(%(mark)s::bytea, 'hex')
