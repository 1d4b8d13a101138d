-- The course runs that the staged rows speak of, with what their deadlines depend on.
SELECT r.key, r.start_date, r.end_date, c.provider_type, c.funding_body
FROM register.course_run r
JOIN register.course c ON c.key = r.course_reference
WHERE EXISTS (SELECT FROM {stage} s WHERE s.run_code = r.key)
