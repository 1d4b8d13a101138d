-- SSG's runs get the keys of ours that they were found to be; NULL where they are none of them.
UPDATE mirror.course_run m
SET key = p.key
FROM unnest(%(refs)s::text[], %(keys)s::text[]) AS p (ssg_ref, key)
WHERE m.ssg_ref = p.ssg_ref
