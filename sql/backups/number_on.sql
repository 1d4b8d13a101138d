-- Numbers that were given after the dump are not given a second time.
SELECT setval(format('%%I.%%I', schemaname, sequencename)::regclass, %(last)s) FROM pg_sequences
WHERE schemaname = %(schema)s AND sequencename = %(name)s AND coalesce(last_value, 0) < %(last)s
