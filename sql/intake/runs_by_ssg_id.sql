-- Our course run for SSG's run id: TPGateway's own files name runs so.
SELECT w.line, m.key, true AS exact, m.start_date
FROM unnest(%(lines)s::int[], %(ids)s::text[]) AS w (line, ssg_run_id)
JOIN mirror.course_run m ON m.ssg_ref = w.ssg_run_id AND m.live AND m.key IS NOT NULL
ORDER BY w.line
