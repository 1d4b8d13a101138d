-- Both sides hold that it is gone.
UPDATE {mirror} m
SET agreed_hash = '\x00'
FROM {register} r
WHERE r.key = m.agreed_key AND NOT m.live AND NOT r.live AND m.agreed_hash <> '\x00'
