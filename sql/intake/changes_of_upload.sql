-- What the rows of an upload made of this register: new records (no field), and the fields that they changed.
SELECT r.sheet, r.row_number, f.name, f.was, f.becomes
FROM {register} r
LEFT JOIN {history} h ON h.key = r.key AND h.version = r.version - 1 AND h.valid_to = r.valid_from
LEFT JOIN LATERAL (VALUES {pairs}) AS f (name, was, becomes) ON h.key IS NOT NULL AND f.was IS DISTINCT FROM f.becomes
WHERE r.upload_id = %(upload_id)s AND (h.key IS NULL OR f.name IS NOT NULL)
