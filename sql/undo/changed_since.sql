-- Records of the upload that a later upload has changed: they stay as they are.
SELECT DISTINCT h.key
FROM {history} h
JOIN {register} r ON r.key = h.key
WHERE h.upload_id = %(upload_id)s AND r.upload_id <> %(upload_id)s
