-- SSG asked for a rest (Retry-After): it counts for every worker of the credential.
INSERT INTO ssg.breaker AS b (credential, paused_until) VALUES (%(credential)s, now() + %(seconds)s * interval '1 second')
ON CONFLICT (credential) DO UPDATE SET paused_until = greatest(b.paused_until, excluded.paused_until)
