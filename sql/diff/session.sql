-- Sessions of runs that take place; the sessions of a deleted run go with it.
-- ``elsewhere``: SSG's side was changed by somebody else and ours was not (see 0002_submission.sql), or was changed
-- again after a person decided for ours against what it held then, or it holds what
-- both sides never agreed on: a record that was there before us. That one is not cancelled unasked either: only what
-- we submitted, or what both sides once agreed on, is taken back by a cancelled row.
SELECT r.key,
       CASE WHEN NOT r.live THEN 'cancel' WHEN m.key IS NULL THEN 'create' ELSE 'update' END AS action,
       CASE WHEN r.live THEN r.ssg_hash ELSE sha256(r.ssg_hash || 'withdraw'::bytea) END AS content_hash,
       array_remove(ARRAY[
           CASE WHEN m.session_date IS DISTINCT FROM r.session_date THEN 'session_date' END,
           CASE WHEN m.start_time IS DISTINCT FROM r.start_time THEN 'start_time' END,
           CASE WHEN m.end_time IS DISTINCT FROM r.end_time THEN 'end_time' END,
           CASE WHEN m.mode_of_training IS DISTINCT FROM r.mode_of_training THEN 'mode_of_training' END], NULL) AS fields,
       ARRAY['course_run:' || r.run_code] AS parents, m.ssg_ref, r.upload_id, r.sheet, r.row_number, r.run_code,
       CASE WHEN NOT r.live THEN coalesce(m.agreed_hash = '\x00', NOT EXISTS (
                SELECT FROM outbox.submission s WHERE s.kind = 'session' AND s.key = r.key AND s.ssg_ref = m.ssg_ref
                  AND s.state = 'accepted')) OR m.agreed_hash IS NULL AND EXISTS (
                SELECT FROM mirror.session g WHERE g.agreed_key = r.key AND g.agreed_hash = '\x00' AND NOT g.live)
            WHEN m.key IS NOT NULL THEN coalesce(m.agreed_hash <> m.ssg_hash AND (m.agreed_hash = r.ssg_hash OR EXISTS (
                SELECT FROM outbox.resolution x
                WHERE x.kind = 'session' AND x.key = r.key AND x.how = 'ours' AND x.their_hash = m.agreed_hash
                  AND x.register_hash = r.ssg_hash)), true)
            ELSE EXISTS (SELECT FROM mirror.session g
                         WHERE g.agreed_key = r.key AND g.agreed_hash <> '\x00'
                           AND (NOT g.live OR g.key IS DISTINCT FROM g.agreed_key)) END AS elsewhere
FROM register.session r
JOIN register.course_run c ON c.key = r.run_code AND c.live
LEFT JOIN mirror.session m ON m.key = r.key AND m.live
WHERE r.live AND m.ssg_hash IS DISTINCT FROM r.ssg_hash
   OR NOT r.live AND m.live
