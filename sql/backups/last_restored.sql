-- The name of the backup that was restored last.
SELECT entity_key FROM audit.entry WHERE action = 'backup restored' ORDER BY seq DESC LIMIT 1
