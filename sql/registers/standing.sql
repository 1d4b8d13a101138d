-- For candidate rows that would change the register: where the standing value came from, where the kind has one the
-- moment that tells which answer is the newer, and whether the standing value's file was dropped after ours and counts.
SELECT d.line, coalesce(u.source, ''), {newer}::text, coalesce(u.received_at > ours.received_at AND u.state <> 'undone', false)
FROM {differing} d
JOIN {register} r ON r.key = d.key
LEFT JOIN intake.upload u ON u.upload_id = r.upload_id
LEFT JOIN intake.upload ours ON ours.upload_id = %(upload_id)s
WHERE NOT d.is_new AND r.upload_id <> %(upload_id)s
