-- Which candidate rows would change the register: new or changed. The others stand there as they are.
SELECT c.line, CASE WHEN r.key IS NULL THEN 'new' ELSE 'changed' END
FROM {candidate} c
LEFT JOIN {register} r ON r.key = c.key
WHERE r.key IS NULL OR r.row_hash <> c.row_hash
