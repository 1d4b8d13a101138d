-- Take the next message that is due; the intent stands before it leaves.
UPDATE alarm.message SET began_at = %(now)s, lease_until = %(now)s + interval '3 minutes', attempts = attempts + 1
WHERE message_id = (
    SELECT message_id FROM alarm.message
    WHERE sent_at IS NULL AND given_up_at IS NULL AND next_at <= %(now)s
      AND (lease_until IS NULL OR lease_until < %(now)s)
      AND NOT channel = ANY (%(skip_channels)s) AND NOT address = ANY (%(skip_addresses)s)
    ORDER BY message_id
    LIMIT 1
    FOR UPDATE SKIP LOCKED)
RETURNING message_id, dedup_key, channel, address, content, made_at, attempts
