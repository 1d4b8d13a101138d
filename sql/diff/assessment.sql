-- Assessments of enrolments and runs that stand.
-- ``elsewhere``: SSG's side was changed by somebody else and ours was not (see 0002_submission.sql), or was changed
-- again after a person decided for ours against what it held then, or it holds what
-- both sides never agreed on: a record that was there before us. That one is not cancelled unasked either: only what
-- we submitted, or what both sides once agreed on, is taken back by a cancelled row.
SELECT r.key,
       CASE WHEN NOT r.live THEN 'cancel' WHEN m.key IS NULL THEN 'create' ELSE 'update' END AS action,
       CASE WHEN r.live THEN r.ssg_hash ELSE sha256(r.ssg_hash || 'withdraw'::bytea) END AS content_hash,
       array_remove(ARRAY[
           CASE WHEN m.assessment_date IS DISTINCT FROM r.assessment_date THEN 'assessment_date' END,
           CASE WHEN m.result IS DISTINCT FROM r.result THEN 'result' END,
           CASE WHEN m.score IS DISTINCT FROM r.score THEN 'score' END,
           CASE WHEN m.grade IS DISTINCT FROM r.grade THEN 'grade' END], NULL) AS fields,
       CASE WHEN r.live THEN ARRAY['enrolment:' || r.run_code || '|' || r.trainee_ref] ELSE '{{}}' END AS parents,
       m.ssg_ref, r.upload_id, r.sheet, r.row_number, r.run_code,
       CASE WHEN NOT r.live THEN coalesce(m.agreed_hash = '\x00', NOT EXISTS (
                SELECT FROM outbox.submission s WHERE s.kind = 'assessment' AND s.key = r.key AND s.ssg_ref = m.ssg_ref
                  AND s.state = 'accepted')) OR m.agreed_hash IS NULL AND EXISTS (
                SELECT FROM mirror.assessment g WHERE g.agreed_key = r.key AND g.agreed_hash = '\x00' AND NOT g.live)
            WHEN m.key IS NOT NULL THEN coalesce(m.agreed_hash <> m.ssg_hash AND (m.agreed_hash = r.ssg_hash OR EXISTS (
                SELECT FROM outbox.resolution x
                WHERE x.kind = 'assessment' AND x.key = r.key AND x.how = 'ours' AND x.their_hash = m.agreed_hash
                  AND x.register_hash = r.ssg_hash)), true)
            ELSE EXISTS (SELECT FROM mirror.assessment g
                         WHERE g.agreed_key = r.key AND g.agreed_hash <> '\x00'
                           AND (NOT g.live OR g.key IS DISTINCT FROM g.agreed_key)) END AS elsewhere
FROM register.assessment r
LEFT JOIN LATERAL (
    SELECT * FROM mirror.assessment m WHERE m.key = r.key AND m.live ORDER BY m.ssg_ref LIMIT 1
) AS m ON true
WHERE (r.live AND m.ssg_hash IS DISTINCT FROM r.ssg_hash
       AND EXISTS (SELECT FROM register.enrolment e
                   WHERE e.key = r.run_code || '|' || r.trainee_ref AND e.live)
       AND EXISTS (SELECT FROM register.course_run c WHERE c.key = r.run_code AND c.live))
   OR (NOT r.live AND m.live)
