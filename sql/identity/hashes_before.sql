-- What the hashes of a table are before its marks change, and whether they are what their columns say.
CREATE TEMP TABLE {kept} ON COMMIT DROP AS
SELECT {key} AS id, {version} AS version, t.own_hash, t.ssg_hash, {row_hash} AS row_hash,
       t.own_hash = {own} AS own_right, {row_hash} = {row} AS row_right, {row_hash} = sha256({row}) AS row_taken_back
FROM {table} t
