-- Courses: compared and never submitted, as SSG's registry owns them.
SELECT r.key, CASE WHEN m.key IS NULL THEN 'missing there' ELSE 'differs' END, r.course_title, m.course_title,
       coalesce(m.seen_at, r.valid_from)
FROM register.course r
LEFT JOIN mirror.course m ON m.key = r.key AND m.live
WHERE m.key IS NULL OR m.ssg_hash <> r.ssg_hash
