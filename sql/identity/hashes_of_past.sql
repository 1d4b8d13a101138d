-- What the mirror held before: as the register's that it was equal to, else equal to nothing, as it was.
UPDATE {table} t
SET own_hash = sha256(t.own_hash || %(salt)s::bytea),
    ssg_hash = coalesce((SELECT new FROM rehash WHERE old = t.ssg_hash), sha256(t.ssg_hash || %(salt)s::bytea)),
    agreed_hash = CASE WHEN t.agreed_hash IS NULL OR t.agreed_hash = '\x00' THEN t.agreed_hash
                       ELSE coalesce((SELECT new FROM rehash WHERE old = t.agreed_hash),
                                     sha256(t.agreed_hash || %(salt)s::bytea)) END
