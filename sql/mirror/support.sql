-- The periods in which SSG was last seen to support a course.
SELECT course_reference, tagging_code, description, from_day, to_day
FROM mirror.course_support
WHERE course_reference = %(reference)s
