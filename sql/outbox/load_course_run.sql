-- What a course run's submission needs.
SELECT r.*, r.live AS wanted, m.ssg_ref AS their_ref
FROM register.course_run r
LEFT JOIN mirror.course_run m ON m.key = r.key AND m.live
WHERE r.key = ANY(%(keys)s)
