-- Uploads that may hold rows which changed nothing because this upload, or another that was undone, had said the same
-- before: taken in, or looked at again, after that, with records of the same kinds; oldest first.
SELECT u.upload_id
FROM intake.upload u
WHERE u.state = 'taken in' AND u.upload_id <> %(upload_id)s AND u.kinds && %(kinds)s::text[]
  AND EXISTS (SELECT FROM intake.landing_row l JOIN intake.landing_table t USING (upload_id, table_no)
              WHERE l.upload_id = u.upload_id
                AND (l.status IN ('unchanged', 'superseded') OR l.status = 'accepted' AND cardinality(t.kinds) > 1))
  AND (u.finished_at >= %(since)s
       OR EXISTS (SELECT FROM intake.landing_row l WHERE l.upload_id = u.upload_id AND l.note = 'looked at again'))
ORDER BY u.received_at, u.upload_id
