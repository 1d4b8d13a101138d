-- For candidate rows that would change the register: where the standing value came from, where the kind has one the
-- moment that tells which answer is the newer, and whether the standing value's file was dropped after ours.
SELECT c.line, coalesce(u.source, ''), {newer}::text, coalesce(u.received_at > ours.received_at, false)
FROM {candidate} c
JOIN {register} r ON r.key = c.key AND r.row_hash <> c.row_hash
LEFT JOIN intake.upload u ON u.upload_id = r.upload_id
LEFT JOIN intake.upload ours ON ours.upload_id = %(upload_id)s
WHERE r.upload_id <> %(upload_id)s
