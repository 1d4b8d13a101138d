-- Course runs that were held in a month, and who was in them.
SELECT count(*) FILTER (WHERE r.start_date >= %(first)s), count(*) FILTER (WHERE r.end_date < %(next)s),
       count(*), coalesce(sum(e.enrolled), 0)::bigint
FROM register.course_run r
LEFT JOIN LATERAL (SELECT count(*) AS enrolled FROM register.enrolment e WHERE e.run_code = r.key AND e.live) e ON true
WHERE r.live AND r.start_date < %(next)s AND r.end_date >= %(first)s
