-- This very database: a restored one has other numbers.
SELECT d.oid, 'finding.looked_run'::regclass::oid::bigint, 'register.attendance'::regclass::oid::bigint
FROM pg_database d WHERE d.datname = current_database()
