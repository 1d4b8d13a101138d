-- Attendance: who came, of enrolments and sessions that stand; who did not come has no record at SSG.
-- ``elsewhere``: SSG's side was changed by somebody else and ours was not (see 0002_submission.sql), or was changed
-- again after a person decided for ours against what it held then, or it holds what
-- both sides never agreed on: a record that was there before us. That one is not cancelled unasked either: only what
-- we submitted, or what both sides once agreed on, is taken back by a cancelled row.
SELECT r.key,
       CASE WHEN NOT r.live THEN 'cancel' WHEN m.key IS NULL THEN 'create' ELSE 'update' END AS action,
       CASE WHEN r.live THEN r.ssg_hash ELSE sha256(r.ssg_hash || 'withdraw'::bytea) END AS content_hash,
       CASE WHEN m.key IS NULL THEN '{{}}'::text[] ELSE ARRAY['mark'] END AS fields,
       CASE WHEN r.live THEN ARRAY['session:' || r.run_code || '|' || r.session_no,
                                   'enrolment:' || r.run_code || '|' || r.trainee_ref]
            ELSE ARRAY['session:' || r.run_code || '|' || r.session_no] END AS parents,
       m.ssg_ref, r.upload_id, r.sheet, r.row_number, r.run_code,
       CASE WHEN NOT r.live THEN coalesce(m.agreed_hash = '\x00', NOT EXISTS (
                SELECT FROM outbox.submission s WHERE s.kind = 'attendance' AND s.key = r.key AND s.ssg_ref = m.ssg_ref
                  AND s.state = 'accepted'))
            WHEN m.key IS NOT NULL THEN coalesce(m.agreed_hash <> m.ssg_hash AND (m.agreed_hash = r.ssg_hash OR EXISTS (
                SELECT FROM outbox.resolution x
                WHERE x.kind = 'attendance' AND x.key = r.key AND x.how = 'ours' AND x.their_hash = m.agreed_hash
                  AND x.register_hash = r.ssg_hash)), true)
            ELSE EXISTS (SELECT FROM mirror.attendance g
                         WHERE g.agreed_key = r.key AND g.agreed_hash <> '\x00'
                           AND (NOT g.live OR g.key IS DISTINCT FROM g.agreed_key)) END AS elsewhere
FROM register.attendance r
LEFT JOIN mirror.attendance m ON m.key = r.key AND m.live
WHERE (r.live AND m.ssg_hash IS DISTINCT FROM r.ssg_hash
       AND EXISTS (SELECT FROM register.enrolment e
                   WHERE e.key = r.run_code || '|' || r.trainee_ref AND e.live)
       AND EXISTS (SELECT FROM register.session x WHERE x.key = r.run_code || '|' || r.session_no AND x.live)
       AND EXISTS (SELECT FROM register.course_run c WHERE c.key = r.run_code AND c.live))
   OR (NOT r.live AND m.live)
