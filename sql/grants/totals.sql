-- Grants in numbers, by standing; the same words as in enrolments.sql.
SELECT standing, count(*), count(DISTINCT enrolment), coalesce(sum(estimated), 0), coalesce(sum(paid), 0),
       coalesce(sum(recovery), 0)
FROM (
    SELECT coalesce(e.ssg_ref, g.enrolment_reference) AS enrolment, g.estimated, g.paid, g.recovery,
           CASE WHEN g.ssg_ref IS NOT NULL THEN coalesce(w.standing, %(other)s)
                WHEN EXISTS (SELECT FROM mirror.course_run r
                             JOIN mirror.course_support s ON s.course_reference = r.course_reference
                             WHERE r.ssg_ref = e.ssg_run_id
                               AND r.start_date BETWEEN coalesce(s.from_day, r.start_date)
                                                    AND coalesce(s.to_day, r.start_date))
                THEN %(expected)s ELSE %(none_expected)s END AS standing
    FROM mirror.enrolment e
    FULL JOIN (SELECT * FROM mirror.grants WHERE live) g ON g.enrolment_reference = e.ssg_ref
    LEFT JOIN unnest(%(statuses)s::text[], %(standings)s::text[]) AS w (status, standing)
           ON w.status = lower(btrim(coalesce(g.status, '')))
    WHERE g.ssg_ref IS NOT NULL OR e.live
) AS line
GROUP BY standing
