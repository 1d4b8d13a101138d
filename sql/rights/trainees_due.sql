-- Trainees whose time is over: the last course ended so long ago, or we heard of them so long ago and they had none.
-- Who asked for access or a correction and has no answer yet is not due by a rule: what they ask about would be gone.
-- With each: a legal hold, submissions under way, and others under a hold whom a kept original names beside them.
WITH held_file AS MATERIALIZED (SELECT upload_id, trainee_ref FROM rights.held_original)
SELECT t.trainee_ref, coalesce(c.ended, (t.created_at AT TIME ZONE 'Asia/Singapore')::date) AS since, h.hold_id IS NOT NULL AS held, coalesce(o.n, 0) AS under_way,
       CASE WHEN EXISTS (SELECT FROM held_file) THEN
           (SELECT array_agg(DISTINCT f.trainee_ref ORDER BY f.trainee_ref) FROM held_file f
            WHERE f.trainee_ref <> t.trainee_ref AND f.upload_id IN (SELECT rights.uploads_of(t.trainee_ref)))
       END AS beside
FROM identity.trainee t
LEFT JOIN LATERAL (
    SELECT max(r.end_date) AS ended
    FROM register.enrolment e
    JOIN register.course_run r ON r.key = e.run_code
    WHERE e.trainee_ref = t.trainee_ref
) AS c ON true
LEFT JOIN rights.legal_hold h ON h.trainee_ref = t.trainee_ref AND h.released_at IS NULL
LEFT JOIN LATERAL (
    SELECT count(*) AS n
    FROM outbox.submission s
    WHERE s.state IN ('planned', 'held', 'ready', 'sending', 'retry', 'unknown', 'rejected', 'dead')
      AND t.trainee_ref = ANY (string_to_array(s.key, '|'))
) AS o ON true
WHERE NOT EXISTS (SELECT FROM rights.shredded x WHERE x.trainee_ref = t.trainee_ref)
  AND (%(only)s::text[] IS NULL AND coalesce(c.ended, (t.created_at AT TIME ZONE 'Asia/Singapore')::date) <= %(day)s
       AND NOT EXISTS (SELECT FROM rights.request q WHERE q.trainee_ref = t.trainee_ref AND q.answered_at IS NULL AND q.about <> 'consent')
       OR t.trainee_ref = ANY (%(only)s::text[]))
ORDER BY t.trainee_ref
