-- Trainers: ours against the provider's profile at SSG.
-- ``elsewhere``: SSG's side was changed by somebody else and ours was not (see 0002_submission.sql), or was changed
-- again after a person decided for ours against what it held then, or it holds what
-- both sides never agreed on: a record that was there before us.
SELECT r.key, CASE WHEN m.key IS NULL THEN 'create' ELSE 'update' END AS action, r.ssg_hash AS content_hash,
       array_remove(ARRAY[
           CASE WHEN m.trainer_name_mark IS DISTINCT FROM r.trainer_name_mark THEN 'trainer_name' END,
           CASE WHEN m.trainer_email_mark IS DISTINCT FROM r.trainer_email_mark THEN 'trainer_email' END,
           CASE WHEN m.trainer_role IS DISTINCT FROM r.trainer_role THEN 'trainer_role' END,
           CASE WHEN m.domain IS DISTINCT FROM r.domain THEN 'domain' END,
           CASE WHEN coalesce(m.experience, '') <> coalesce(r.experience, '') THEN 'experience' END], NULL) AS fields,
       '{{}}'::text[] AS parents, m.ssg_ref, r.upload_id, r.sheet, r.row_number, NULL AS run_code,
       CASE WHEN m.key IS NOT NULL THEN coalesce(m.agreed_hash <> m.ssg_hash AND (m.agreed_hash = r.ssg_hash OR EXISTS (
                SELECT FROM outbox.resolution x
                WHERE x.kind = 'trainer' AND x.key = r.key AND x.how = 'ours' AND x.their_hash = m.agreed_hash
                  AND x.register_hash = r.ssg_hash)), true)
            ELSE EXISTS (SELECT FROM mirror.trainer g
                         WHERE g.agreed_key = r.key AND g.agreed_hash <> '\x00'
                           AND (NOT g.live OR g.key IS DISTINCT FROM g.agreed_key)) END AS elsewhere
FROM register.trainer r
LEFT JOIN mirror.trainer m ON m.key = r.key AND m.live
WHERE r.live AND m.ssg_hash IS DISTINCT FROM r.ssg_hash
