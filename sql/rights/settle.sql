-- What SSG still shows of somebody who was shredded is left to SSG: nothing is planned about it any more.
INSERT INTO outbox.resolution (kind, key, how, until, reason, made_by, register_hash, register_live)
SELECT %(kind)s, r.key, 'theirs', NULL, %(why)s, %(by)s, r.ssg_hash, r.live
FROM {register} r
WHERE r.trainee_ref = %(ref)s
ON CONFLICT (kind, key) WHERE ended_at IS NULL DO NOTHING
