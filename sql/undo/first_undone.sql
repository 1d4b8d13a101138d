-- When the first upload came that said something of these records and was undone, this one among them.
SELECT min(u.received_at)
FROM {history} h
JOIN intake.upload u ON u.upload_id = h.upload_id
WHERE h.key = ANY(%(keys)s) AND (u.state = 'undone' OR u.upload_id = %(upload_id)s)
HAVING min(u.received_at) IS NOT NULL
