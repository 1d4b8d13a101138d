-- What was approved stays approved: the same content under its new hash, and its idempotency key with it.
UPDATE outbox.submission s
SET content_hash = r.new,
    idempotency_key = encode(sha256(convert_to(concat_ws(E'\x1f', s.kind, s.key, s.action, encode(r.new, 'hex'),
                                                         s.generation::text), 'UTF8')), 'hex')
FROM rehash r
WHERE r.old = s.content_hash AND s.kind IN ('trainer', 'enrolment')
