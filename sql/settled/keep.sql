-- What was looked at, as it was found.
INSERT INTO finding.looked_run AS l (run_code, agreed, settled, course_run, session, enrolment, fee, attendance, assessment,
                                     review_id, looked_at)
SELECT run_code, agreed, false, course_run, session, enrolment, fee, attendance, assessment, %(review)s, now()
FROM looked
WHERE run_code <> '*'
ON CONFLICT (run_code) DO UPDATE
SET agreed = excluded.agreed, settled = false, course_run = excluded.course_run, session = excluded.session,
    enrolment = excluded.enrolment, fee = excluded.fee, attendance = excluded.attendance,
    assessment = excluded.assessment, review_id = excluded.review_id, looked_at = excluded.looked_at
