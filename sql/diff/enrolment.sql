-- Enrolments. SSG lets name, birth date, sponsorship and employer UEN be changed by nobody (ssg-api 6.2): there the old
-- one is cancelled, and the next round of the plan creates the new one. A new one carries the fee status with it.
-- ``elsewhere``: SSG's side was changed by somebody else and ours was not (see 0002_submission.sql), or was changed
-- again after a person decided for ours against what it held then, or it holds what
-- both sides never agreed on: a record that was there before us. That one is not cancelled unasked either: only what
-- we submitted, or what both sides once agreed on, is taken back by a cancelled row.
WITH pair AS (
    SELECT r.*, m.ssg_ref AS ssg_ref, m.ssg_hash AS their_hash, m.agreed_hash, m.key IS NOT NULL AS there,
           r.live AND c.live AS wanted,
           coalesce(f.collection_status, 'Pending Payment') AS collection_status, f.ssg_hash AS fee_hash,
           array_remove(ARRAY[
               CASE WHEN m.full_name_mark IS DISTINCT FROM t.full_name_mark THEN 'full_name' END,
               CASE WHEN m.birth_date_mark IS DISTINCT FROM t.birth_date_mark THEN 'birth_date' END,
               CASE WHEN m.sponsorship_type IS DISTINCT FROM r.sponsorship_type THEN 'sponsorship_type' END,
               CASE WHEN coalesce(m.employer_uen, '') <> coalesce(r.employer_uen, '') THEN 'employer_uen' END
           ], NULL) AS identity_fields,
           array_remove(ARRAY[
               CASE WHEN m.email_mark IS DISTINCT FROM t.email_mark THEN 'email' END,
               CASE WHEN m.phone_mark IS DISTINCT FROM t.phone_mark THEN 'phone' END,
               CASE WHEN m.phone_country IS DISTINCT FROM t.phone_country THEN 'phone_country' END,
               CASE WHEN m.enrolment_date IS DISTINCT FROM r.enrolment_date THEN 'enrolment_date' END,
               CASE WHEN m.employer_contact_name_mark IS DISTINCT FROM r.employer_contact_name_mark
                    THEN 'employer_contact_name' END,
               CASE WHEN m.employer_contact_email_mark IS DISTINCT FROM r.employer_contact_email_mark
                    THEN 'employer_contact_email' END,
               CASE WHEN m.employer_contact_phone_mark IS DISTINCT FROM r.employer_contact_phone_mark
                    THEN 'employer_contact_phone' END,
               CASE WHEN m.discount_amount IS DISTINCT FROM r.discount_amount THEN 'discount_amount' END
           ], NULL) AS other_fields
    FROM register.enrolment r
    JOIN register.course_run c ON c.key = r.run_code
    JOIN register.trainee t ON t.trainee_ref = r.trainee_ref
    LEFT JOIN LATERAL (
        SELECT * FROM mirror.enrolment m WHERE m.key = r.key AND m.live ORDER BY m.ssg_ref LIMIT 1
    ) AS m ON true
    LEFT JOIN register.fee f ON f.key = r.key
    WHERE (r.live AND c.live AND m.ssg_hash IS DISTINCT FROM r.ssg_hash)
       OR (NOT (r.live AND c.live) AND m.live)
)
SELECT key,
       CASE WHEN NOT wanted THEN 'cancel' WHEN NOT there THEN 'create'
            WHEN identity_fields <> '{{}}' THEN 'cancel' ELSE 'update' END AS action,
       CASE WHEN NOT wanted THEN sha256(ssg_hash || 'withdraw'::bytea)
            WHEN NOT there THEN sha256(ssg_hash || convert_to(collection_status, 'UTF8'))
            WHEN identity_fields <> '{{}}' THEN sha256(ssg_hash || 'replace'::bytea)
            ELSE ssg_hash END AS content_hash,
       identity_fields || other_fields AS fields,
       CASE WHEN wanted AND NOT there THEN ARRAY['course_run:' || run_code] ELSE '{{}}' END AS parents,
       ssg_ref, upload_id, sheet, row_number, run_code,
       CASE WHEN NOT wanted THEN coalesce(agreed_hash = '\x00', NOT EXISTS (
                SELECT FROM outbox.submission s WHERE s.kind = 'enrolment' AND s.key = pair.key AND s.ssg_ref = pair.ssg_ref
                  AND s.state = 'accepted')) OR agreed_hash IS NULL AND EXISTS (
                SELECT FROM mirror.enrolment g WHERE g.agreed_key = pair.key AND g.agreed_hash = '\x00' AND NOT g.live)
            -- A new one would carry our fee status: not over one that somebody changed there and nobody decided about.
            WHEN there AND identity_fields <> '{{}}' AND EXISTS (
                SELECT FROM mirror.fee g
                WHERE g.ssg_ref = pair.ssg_ref AND g.live AND g.collection_status <> pair.collection_status
                  AND coalesce(g.agreed_hash <> g.ssg_hash AND coalesce(g.agreed_hash = pair.fee_hash, true), true)) THEN true
            WHEN there THEN coalesce(agreed_hash <> their_hash AND (agreed_hash = ssg_hash OR EXISTS (
                SELECT FROM outbox.resolution x
                WHERE x.kind = 'enrolment' AND x.key = pair.key AND x.how = 'ours' AND x.their_hash = pair.agreed_hash
                  AND x.register_hash = pair.ssg_hash)), true)
            ELSE EXISTS (SELECT FROM mirror.enrolment g
                         WHERE g.agreed_key = pair.key AND g.agreed_hash <> '\x00'
                           AND (NOT g.live OR g.key IS DISTINCT FROM g.agreed_key)) END AS elsewhere
FROM pair
