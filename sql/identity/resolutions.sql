-- What a person decided holds on: it was about the same content.
UPDATE outbox.resolution x
SET register_hash = coalesce((SELECT new FROM rehash WHERE old = x.register_hash), x.register_hash),
    their_hash = coalesce((SELECT new FROM rehash WHERE old = x.their_hash), x.their_hash)
WHERE x.kind IN ('trainer', 'enrolment')
