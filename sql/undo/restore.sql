-- Records that the upload changed and nobody since: back to what they were before it, as a new version. What an upload
-- said that was undone itself does not come back, unless it was kept when that was undone.
WITH before AS (
    SELECT DISTINCT ON (h.key) {history_columns}
    FROM {history} h
    JOIN {register} r ON r.key = h.key
    LEFT JOIN intake.upload u ON u.upload_id = h.upload_id
    WHERE r.upload_id = %(upload_id)s AND h.upload_id <> %(upload_id)s
      AND NOT (u.state = 'undone' AND h.valid_to <= u.finished_at) IS TRUE
    ORDER BY h.key, h.version DESC
), kept AS (
    INSERT INTO {history} ({columns}, valid_to)
    SELECT {register_columns}, now()
    FROM {register} r
    JOIN before b ON b.key = r.key
)
UPDATE {register} r
SET ({value_columns}) = ROW ({before_values}), version = r.version + 1, valid_from = now()
FROM before b
WHERE b.key = r.key
RETURNING r.key
