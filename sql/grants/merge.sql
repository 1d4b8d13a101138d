-- What was seen goes into the mirror; a grant that is the same keeps the moment in which it was last seen to change.
INSERT INTO mirror.grants AS g (ssg_ref, enrolment_reference, ssg_run_id, course_reference, status, reason, scheme_code,
                                scheme, component_code, component, estimated, paid, recovery, disbursed_on, created_on,
                                updated_on, live, seen_at)
SELECT ssg_ref, enrolment_reference, ssg_run_id, course_reference, status, reason, scheme_code, scheme, component_code,
       component, estimated, paid, recovery, disbursed_on, created_on, updated_on, true, %(seen_at)s
FROM seen_grants
ON CONFLICT (ssg_ref) DO UPDATE
SET enrolment_reference = excluded.enrolment_reference, ssg_run_id = excluded.ssg_run_id,
    course_reference = excluded.course_reference, status = excluded.status, reason = excluded.reason,
    scheme_code = excluded.scheme_code, scheme = excluded.scheme, component_code = excluded.component_code,
    component = excluded.component, estimated = excluded.estimated, paid = excluded.paid,
    recovery = excluded.recovery, disbursed_on = excluded.disbursed_on, created_on = excluded.created_on,
    updated_on = excluded.updated_on, live = true, seen_at = excluded.seen_at
WHERE (g.enrolment_reference, g.ssg_run_id, g.course_reference, g.status, g.reason, g.scheme_code, g.scheme,
       g.component_code, g.component, g.estimated, g.paid, g.recovery, g.disbursed_on, g.updated_on, g.live)
      IS DISTINCT FROM
      (excluded.enrolment_reference, excluded.ssg_run_id, excluded.course_reference, excluded.status, excluded.reason,
       excluded.scheme_code, excluded.scheme, excluded.component_code, excluded.component, excluded.estimated,
       excluded.paid, excluded.recovery, excluded.disbursed_on, excluded.updated_on, true)
