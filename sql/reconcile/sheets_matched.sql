-- Rows of sheets that the registers hold as they were typed, by record kind.
SELECT kind, count(*)
FROM intake.landing_table t
JOIN intake.upload u USING (upload_id)
JOIN intake.landing_row l ON l.upload_id = t.upload_id AND l.table_no = t.table_no
CROSS JOIN unnest(t.kinds) AS kind
WHERE u.received_at >= %(since)s AND u.state = 'taken in' AND l.status IN ('accepted', 'unchanged')
GROUP BY kind
