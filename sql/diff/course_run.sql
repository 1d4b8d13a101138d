-- Course runs. A cancelled run is taken back once no live enrolment hangs on it any more.
-- ``elsewhere``: SSG's side was changed by somebody else and ours was not (see 0002_submission.sql), or was changed
-- again after a person decided for ours against what it held then, or it holds what
-- both sides never agreed on: a record that was there before us. That one is not cancelled unasked either: only what
-- we submitted, or what both sides once agreed on, is taken back by a cancelled row.
SELECT r.key,
       CASE WHEN NOT r.live THEN 'cancel' WHEN m.key IS NULL THEN 'create' ELSE 'update' END AS action,
       CASE WHEN r.live THEN r.ssg_hash ELSE sha256(r.ssg_hash || 'withdraw'::bytea) END AS content_hash,
       array_remove(ARRAY[
           CASE WHEN m.registration_open IS DISTINCT FROM r.registration_open THEN 'registration_open' END,
           CASE WHEN m.registration_close IS DISTINCT FROM r.registration_close THEN 'registration_close' END,
           CASE WHEN m.start_date IS DISTINCT FROM r.start_date THEN 'start_date' END,
           CASE WHEN m.end_date IS DISTINCT FROM r.end_date THEN 'end_date' END,
           CASE WHEN m.schedule_info IS DISTINCT FROM r.schedule_info THEN 'schedule_info' END,
           CASE WHEN m.mode_of_training IS DISTINCT FROM r.mode_of_training THEN 'mode_of_training' END,
           CASE WHEN (coalesce(m.block, ''), coalesce(m.street, ''), coalesce(m.floor, ''), coalesce(m.unit, ''),
                      coalesce(m.building, ''), coalesce(m.postal_code, ''), coalesce(m.room, ''))
                  <> (coalesce(r.block, ''), coalesce(r.street, ''), coalesce(r.floor, ''), coalesce(r.unit, ''),
                      coalesce(r.building, ''), coalesce(r.postal_code, ''), coalesce(r.room, '')) THEN 'venue' END,
           CASE WHEN m.wheelchair_access IS DISTINCT FROM r.wheelchair_access THEN 'wheelchair_access' END,
           CASE WHEN m.intake_size IS DISTINCT FROM r.intake_size THEN 'intake_size' END,
           CASE WHEN m.threshold IS DISTINCT FROM r.threshold THEN 'threshold' END,
           CASE WHEN m.admin_email IS DISTINCT FROM r.admin_email THEN 'admin_email' END,
           CASE WHEN m.vacancy IS DISTINCT FROM r.vacancy THEN 'vacancy' END,
           CASE WHEN coalesce(m.trainer_codes, '') <> coalesce(r.trainer_codes, '') THEN 'trainer_codes' END], NULL)
           AS fields,
       CASE WHEN r.live THEN array(SELECT 'trainer:' || code FROM unnest(string_to_array(r.trainer_codes, ';')) code)
            ELSE '{{}}' END AS parents,
       m.ssg_ref, r.upload_id, r.sheet, r.row_number, r.key AS run_code,
       CASE WHEN NOT r.live THEN coalesce(m.agreed_hash = '\x00', NOT EXISTS (
                SELECT FROM outbox.submission s WHERE s.kind = 'course_run' AND s.key = r.key AND s.ssg_ref = m.ssg_ref
                  AND s.state = 'accepted')) OR m.agreed_hash IS NULL AND EXISTS (
                SELECT FROM mirror.course_run g WHERE g.agreed_key = r.key AND g.agreed_hash = '\x00' AND NOT g.live)
            WHEN m.key IS NOT NULL THEN coalesce(m.agreed_hash <> m.ssg_hash AND (m.agreed_hash = r.ssg_hash OR EXISTS (
                SELECT FROM outbox.resolution x
                WHERE x.kind = 'course_run' AND x.key = r.key AND x.how = 'ours' AND x.their_hash = m.agreed_hash
                  AND x.register_hash = r.ssg_hash)), true)
            ELSE EXISTS (SELECT FROM mirror.course_run g
                         WHERE g.agreed_key = r.key AND g.agreed_hash <> '\x00'
                           AND (NOT g.live OR g.key IS DISTINCT FROM g.agreed_key)) END AS elsewhere
FROM register.course_run r
LEFT JOIN mirror.course_run m ON m.key = r.key AND m.live
WHERE r.live AND m.ssg_hash IS DISTINCT FROM r.ssg_hash
   OR NOT r.live AND m.live AND NOT EXISTS (SELECT FROM mirror.enrolment e WHERE e.run_code = r.key AND e.live)
