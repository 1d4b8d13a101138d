-- A refused upload whose bytes were dropped again waits to be taken in once more, under another attempt.
UPDATE intake.upload
SET state = 'received', attempt = attempt + 1, received_at = now(), received_by = %(actor)s,
    correlation_id = %(correlation_id)s, sentence = '', finished_at = NULL
WHERE upload_id = %(upload_id)s AND state = 'refused' AND archive_name IS NOT NULL
