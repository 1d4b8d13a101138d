-- One more failure in a row; at the limit the breaker opens, and a failed probe keeps it open.
INSERT INTO ssg.breaker AS b (credential, failures) VALUES (%(credential)s, 1)
ON CONFLICT (credential) DO UPDATE
SET failures = b.failures + 1,
    opened_at = CASE WHEN b.failures + 1 >= %(limit)s THEN coalesce(b.opened_at, now()) ELSE b.opened_at END,
    probe_at = CASE WHEN b.failures + 1 >= %(limit)s THEN now() + %(probe)s * interval '1 second' ELSE b.probe_at END
