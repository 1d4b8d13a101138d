-- Each grant with its enrolment, and each enrolment at SSG without a grant: expected where SSG supports the course on
-- the run's first day. A grant without an enrolment of ours is shown as well.
SELECT e.run_code, e.trainee_ref, e.key AS enrolment_key, coalesce(e.ssg_ref, g.enrolment_reference),
       e.ssg_status AS enrolment_status, f.collection_status AS fee_status, g.ssg_ref AS grant_reference,
       CASE WHEN g.ssg_ref IS NOT NULL THEN coalesce(w.standing, %(other)s)
            WHEN EXISTS (SELECT FROM mirror.course_run r
                         JOIN mirror.course_support s ON s.course_reference = r.course_reference
                         WHERE r.ssg_ref = e.ssg_run_id
                           AND r.start_date BETWEEN coalesce(s.from_day, r.start_date) AND coalesce(s.to_day, r.start_date))
            THEN %(expected)s ELSE %(none_expected)s END AS standing,
       g.status, g.reason, coalesce(g.scheme, g.scheme_code) AS scheme, coalesce(g.component, g.component_code) AS component,
       g.estimated, g.paid, g.recovery, g.disbursed_on, coalesce(g.updated_on, e.created_on) AS since,
       coalesce(e.live, false) AS enrolment_live
FROM mirror.enrolment e
FULL JOIN (SELECT * FROM mirror.grants WHERE live) g ON g.enrolment_reference = e.ssg_ref
LEFT JOIN mirror.fee f ON f.ssg_ref = e.ssg_ref
LEFT JOIN unnest(%(statuses)s::text[], %(standings)s::text[]) AS w (status, standing)
       ON w.status = lower(btrim(coalesce(g.status, '')))
WHERE (g.ssg_ref IS NOT NULL OR e.live)
  -- Of other runs only what may still need somebody.
  AND (%(runs)s::text[] IS NULL OR e.run_code IS NULL OR e.run_code = ANY(%(runs)s::text[])
       OR CASE WHEN g.ssg_ref IS NOT NULL THEN coalesce(w.standing, %(other)s) <> %(paid)s
               ELSE EXISTS (SELECT FROM mirror.course_run r
                            JOIN mirror.course_support s ON s.course_reference = r.course_reference
                            WHERE r.ssg_ref = e.ssg_run_id AND r.start_date BETWEEN coalesce(s.from_day, r.start_date)
                                                                                AND coalesce(s.to_day, r.start_date)) END)
ORDER BY e.run_code NULLS LAST, e.trainee_ref NULLS LAST, e.ssg_ref NULLS LAST, g.ssg_ref NULLS FIRST
