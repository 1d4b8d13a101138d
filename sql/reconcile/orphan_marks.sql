-- Marks of sessions that are cancelled here: SSG deletes them with the session, or never gets them.
INSERT INTO judged (key, action, elsewhere, remedy, moved, class, parent_missing, decided, changed_by, since)
SELECT r.key, 'create', false, %(orphan_mark_to_do)s, false, 'missing there', false, false, 'we', x.valid_from
FROM odd o
JOIN register.attendance r ON r.key = o.key
JOIN register.session x ON x.key = r.run_code || '|' || r.session_no AND NOT x.live
JOIN register.enrolment e ON e.key = r.run_code || '|' || r.trainee_ref AND e.live
JOIN register.course_run c ON c.key = r.run_code AND c.live
WHERE o.ours_live AND o.ssg_ref IS NULL
