-- The runs whose sessions are read, and whether one can have attendance yet.
SELECT m.ssg_ref, m.course_reference, m.start_date <= %(today)s
FROM mirror.course_run m
WHERE m.live
ORDER BY m.ssg_ref
