-- Fees: only the status is SSG's, and it exists there as soon as the enrolment does, so a fee is only ever updated: that
-- of the enrolment which stands for ours, where SSG holds it twice.
-- ``elsewhere``: SSG's side was changed by somebody else and ours was not (see 0002_submission.sql), or was changed
-- again after a person decided for ours against what it held then, or it holds what
-- both sides never agreed on: a record that was there before us.
SELECT r.key, 'update' AS action, r.ssg_hash AS content_hash, ARRAY['collection_status'] AS fields,
       ARRAY['enrolment:' || r.key] AS parents, m.ssg_ref, r.upload_id, r.sheet, r.row_number, r.run_code,
       coalesce(m.agreed_hash <> m.ssg_hash AND (m.agreed_hash = r.ssg_hash OR EXISTS (
           SELECT FROM outbox.resolution x
           WHERE x.kind = 'fee' AND x.key = r.key AND x.how = 'ours' AND x.their_hash = m.agreed_hash
             AND x.register_hash = r.ssg_hash)), true) AS elsewhere
FROM register.fee r
JOIN LATERAL (
    SELECT * FROM mirror.fee m WHERE m.key = r.key AND m.live ORDER BY m.ssg_ref LIMIT 1
) AS m ON true
WHERE m.ssg_hash <> r.ssg_hash
