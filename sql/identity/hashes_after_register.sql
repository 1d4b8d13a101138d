-- The hashes of a register or its history from its new marks.
UPDATE {table} t
SET own_hash = CASE WHEN k.own_right THEN {own} ELSE sha256(t.own_hash || %(salt)s::bytea) END,
    ssg_hash = CASE WHEN k.own_right THEN {own} ELSE sha256(t.ssg_hash || %(salt)s::bytea) END,
    row_hash = CASE WHEN k.row_right THEN {row} WHEN k.row_taken_back THEN sha256({row})
                    ELSE sha256(t.row_hash || %(salt)s::bytea) END
FROM {kept} k
WHERE k.id = t.key AND k.version = t.version
