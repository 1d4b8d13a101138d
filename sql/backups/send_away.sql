-- Whoever is connected to one of these databases loses the connection; but whom we may not send away, such as a
-- superuser's monitoring, is passed over, as one of them would spare all.
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = ANY(%(databases)s) AND backend_type = 'client backend' AND pid <> pg_backend_pid()
  AND pg_has_role(usesysid, 'MEMBER')
