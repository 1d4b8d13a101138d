-- For candidate rows that would change the register: where the standing value came from and, where the kind has
-- one, the moment that tells which answer is the newer.
SELECT c.line, coalesce(u.source, ''), {newer}::text
FROM candidate c
JOIN {register} r ON r.key = c.key AND r.row_hash <> c.row_hash
LEFT JOIN intake.upload u ON u.upload_id = r.upload_id
WHERE r.upload_id <> %(upload_id)s
