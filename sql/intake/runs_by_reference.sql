-- Course runs for "course reference and start date", in the same way.
SELECT w.line, r.key, r.start_date = w.start_date AS exact, r.start_date
FROM unnest(%(lines)s::int[], %(references)s::text[], %(dates)s::date[]) AS w (line, course_reference, start_date)
JOIN register.course_run r ON r.course_reference = w.course_reference AND r.live
WHERE abs(r.start_date - w.start_date) <= %(days)s
ORDER BY w.line, abs(r.start_date - w.start_date), r.key
