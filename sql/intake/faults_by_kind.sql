-- Errors of an upload by the first kind of the sheet and by code.
SELECT t.kinds[1], r.code, count(*)
FROM intake.rejection r
JOIN intake.landing_table t ON t.upload_id = r.upload_id AND t.sheet = r.sheet
WHERE r.upload_id = %(upload_id)s AND r.severity = 'error'
GROUP BY 1, 2
