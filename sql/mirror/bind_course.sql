-- A course is known by its reference.
UPDATE mirror.course SET key = course_reference WHERE key IS NULL
