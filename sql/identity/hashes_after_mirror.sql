-- The hashes of a mirror from its new marks: as the register's that they were equal to, else from their columns.
UPDATE {table} t
SET own_hash = CASE WHEN k.own_right THEN {own} ELSE sha256(t.own_hash || %(salt)s::bytea) END,
    ssg_hash = coalesce((SELECT new FROM rehash WHERE old = k.ssg_hash),
                        CASE WHEN k.own_right THEN {whole} ELSE sha256(t.ssg_hash || %(salt)s::bytea) END),
    agreed_hash = CASE WHEN t.agreed_hash IS NULL OR t.agreed_hash = '\x00' THEN t.agreed_hash
                       WHEN t.agreed_hash = k.ssg_hash THEN
                           coalesce((SELECT new FROM rehash WHERE old = k.ssg_hash),
                                    CASE WHEN k.own_right THEN {whole} ELSE sha256(t.ssg_hash || %(salt)s::bytea) END)
                       ELSE coalesce((SELECT new FROM rehash WHERE old = t.agreed_hash),
                                     sha256(t.agreed_hash || %(salt)s::bytea)) END
FROM {kept} k
WHERE k.id = t.ssg_ref
