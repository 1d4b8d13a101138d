-- Which candidate rows would change the register: they are new, or their content differs.
CREATE TEMP TABLE {differing} ON COMMIT DROP AS
SELECT c.line, c.key, r.key IS NULL AS is_new
FROM {candidate} c
LEFT JOIN {register} r ON r.key = c.key
WHERE r.key IS NULL OR r.row_hash <> c.row_hash
