-- The files that named somebody under a legal hold.
SELECT DISTINCT o.upload_id
FROM rights.legal_hold h
CROSS JOIN LATERAL rights.uploads_of(h.trainee_ref) AS o (upload_id)
WHERE h.released_at IS NULL
