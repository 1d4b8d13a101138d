-- Course runs for "title and start date": the exact ones, and those within so many days for a person to choose from.
SELECT w.line, r.key, r.start_date = w.start_date AS exact, r.start_date
FROM unnest(%(lines)s::int[], %(titles)s::text[], %(dates)s::date[]) AS w (line, title, start_date)
JOIN register.course c ON lower(c.course_title) = lower(w.title)
JOIN register.course_run r ON r.course_reference = c.key AND r.live
WHERE abs(r.start_date - w.start_date) <= %(days)s
ORDER BY w.line, abs(r.start_date - w.start_date), r.key
