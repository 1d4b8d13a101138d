-- Course runs that were held in a month, and who was in them.
SELECT count(*) FILTER (WHERE r.start_date >= %(first)s), count(*) FILTER (WHERE r.end_date < %(next)s),
       count(*), coalesce(sum(e.enrolled), 0)::bigint
FROM register.course_run r
LEFT JOIN (SELECT run_code, count(*) AS enrolled FROM register.enrolment WHERE live GROUP BY run_code) e
       ON e.run_code = r.key
WHERE r.live AND r.start_date < %(next)s AND r.end_date >= %(first)s
