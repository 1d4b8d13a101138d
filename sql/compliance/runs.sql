-- One row a live course run, or the one asked for, with the facts that the checks need.
SELECT r.key AS run_code,
       r.course_reference,
       coalesce(c.course_title, '') AS course_title,
       c.provider_type,
       c.funding_body,
       c.full_course_fee,
       c.minimum_assessments,
       r.start_date,
       r.end_date,
       r.mode_of_training,
       r.intake_size,
       r.threshold,
       coalesce(r.trainer_codes, '') AS trainer_codes,
       coalesce(e.enrolled, 0) AS enrolled,
       coalesce(s.sessions, 0) AS sessions,
       coalesce(s.in_mode, 0) AS sessions_in_mode,
       coalesce(s.with_open_dates, 0) AS sessions_with_open_dates,
       s.first_day,
       s.last_day_inside,
       coalesce(s.before_start, 0) AS sessions_before_start,
       s.latest_day,
       a.latest_day AS latest_assessment
FROM register.course_run r
LEFT JOIN register.course c ON c.key = r.course_reference AND c.live
LEFT JOIN (
    SELECT run_code, count(*) AS enrolled FROM register.enrolment AS e WHERE live GROUP BY run_code
) e ON e.run_code = r.key
LEFT JOIN LATERAL (
    SELECT count(*) AS sessions,
           count(*) FILTER (WHERE s.mode_of_training = r.mode_of_training) AS in_mode,
           count(*) FILTER (WHERE s.mode_of_training IN ('2', '4')) AS with_open_dates,
           min(s.session_date) AS first_day,
           max(s.session_date) FILTER (WHERE s.session_date <= r.end_date) AS last_day_inside,
           count(*) FILTER (WHERE s.session_date < r.start_date) AS before_start,
           max(s.session_date) AS latest_day
    FROM register.session s
    WHERE s.run_code = r.key AND s.live
) s ON true
LEFT JOIN (
    SELECT run_code, max(assessment_date) AS latest_day FROM register.assessment AS a WHERE live GROUP BY run_code
) a ON a.run_code = r.key
WHERE r.live AND (%(run)s::text IS NULL OR r.key = %(run)s)
ORDER BY r.key
