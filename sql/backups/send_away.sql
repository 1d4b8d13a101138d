-- Whoever is connected to one of these databases loses the connection.
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = ANY(%(databases)s) AND backend_type = 'client backend' AND pid <> pg_backend_pid()
