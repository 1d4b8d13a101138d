-- Which fields of each changed row differ from the register, with old and new words of the plain ones.
SELECT s.line, f.name, f.was, f.becomes
FROM {stage} s
JOIN {register} r ON r.key = s.key
CROSS JOIN LATERAL (VALUES {pairs}) AS f (name, was, becomes)
WHERE f.was IS DISTINCT FROM f.becomes
