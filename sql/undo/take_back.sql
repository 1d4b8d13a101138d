-- Records that came with the upload and that SSG holds already, or may hold because a submission of them was sent and
-- nobody knows its outcome yet: they are to be taken back there as well, unless something that another upload said and
-- that counts hangs on them.
WITH there AS (
    SELECT r.key
    FROM {register} r
    WHERE r.upload_id = %(upload_id)s AND r.live
      AND (EXISTS (SELECT FROM {mirror} m WHERE m.key = r.key AND m.live)
           OR EXISTS (SELECT FROM outbox.submission s
                      WHERE s.kind = %(kind)s AND s.key = r.key AND (s.state IN ('sending', 'unknown') OR s.needs_search)))
      AND NOT ({depended_on})
), kept AS (
    INSERT INTO {history} ({columns}, valid_to)
    SELECT {register_columns}, now()
    FROM {register} r
    JOIN there t ON t.key = r.key
)
UPDATE {register} r
SET {status} = %(word)s, live = false, row_hash = sha256(r.row_hash), version = r.version + 1, valid_from = now()
FROM there t
WHERE t.key = r.key
RETURNING r.key
