-- Attendance: who came, of enrolments and sessions that stand; who did not come has no record at SSG.
SELECT r.key,
       CASE WHEN NOT r.live THEN 'cancel' WHEN m.key IS NULL THEN 'create' ELSE 'update' END AS action,
       r.ssg_hash AS content_hash, CASE WHEN m.key IS NULL THEN '{{}}'::text[] ELSE ARRAY['mark'] END AS fields,
       ARRAY['session:' || r.run_code || '|' || r.session_no, 'enrolment:' || r.run_code || '|' || r.trainee_ref]
           AS parents,
       m.ssg_ref, r.upload_id, r.sheet, r.row_number, r.run_code
FROM register.attendance r
LEFT JOIN mirror.attendance m ON m.key = r.key AND m.live
WHERE (r.live AND m.ssg_hash IS DISTINCT FROM r.ssg_hash
       AND EXISTS (SELECT FROM register.enrolment e
                   WHERE e.key = r.run_code || '|' || r.trainee_ref AND e.live)
       AND EXISTS (SELECT FROM register.course_run c WHERE c.key = r.run_code AND c.live))
   OR (NOT r.live AND m.live)
