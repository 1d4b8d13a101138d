-- Enrolments of ours that stand in another run there now, of which the record of ours is told; their fees went with them.
CREATE TEMP TABLE elsewhere_now ON COMMIT DROP AS
SELECT g.ssg_ref
FROM mirror.enrolment g
JOIN register.enrolment r ON r.key = g.agreed_key AND r.live
JOIN register.course_run c ON c.key = r.run_code AND c.live
WHERE g.live AND g.key IS DISTINCT FROM g.agreed_key AND g.agreed_hash <> '\x00'
  AND NOT EXISTS (SELECT FROM mirror.enrolment m WHERE m.key = r.key AND m.live)
