-- Uploads that were dropped later than this one, taken in before it, and hold rows of these kinds that changed nothing
-- then; oldest first.
SELECT u.upload_id
FROM intake.upload u
JOIN intake.upload ours ON ours.upload_id = %(upload_id)s
WHERE u.state = 'taken in' AND u.upload_id <> ours.upload_id AND u.received_at > ours.received_at
  AND u.kinds && %(kinds)s::text[]
  AND EXISTS (SELECT FROM intake.landing_row l JOIN intake.landing_table t USING (upload_id, table_no)
              WHERE l.upload_id = u.upload_id
                AND (l.status IN ('unchanged', 'superseded') OR l.status = 'accepted' AND cardinality(t.kinds) > 1))
ORDER BY u.received_at, u.upload_id
