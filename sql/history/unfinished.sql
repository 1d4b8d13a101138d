-- Who began to write before a moment and has not ended: what they write will count from when they began.
SELECT count(*)
FROM pg_stat_activity
WHERE datname = current_database() AND backend_xid IS NOT NULL AND xact_start <= %(moment)s AND pid <> pg_backend_pid()
