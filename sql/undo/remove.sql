-- Records that came with the upload, that SSG does not hold nor may be about to, and on which nothing else hangs: gone, kept in history.
WITH gone AS (
    DELETE FROM {register} r
    WHERE r.upload_id = %(upload_id)s
      AND NOT EXISTS (SELECT FROM {mirror} m WHERE m.key = r.key AND m.live)
      AND NOT key = ANY(%(taken_back)s)
      AND NOT ({depended_on})
    RETURNING {register_columns}
)
INSERT INTO {history} ({columns}, valid_to)
SELECT {gone_columns}, now() FROM gone AS r
RETURNING key
