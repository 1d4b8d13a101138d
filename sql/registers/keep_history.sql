-- The versions that are about to be replaced move to the history, with the moment they stopped being true.
INSERT INTO {history} ({columns}, valid_to)
SELECT {old_columns}, now()
FROM {register} r
JOIN {stage} s ON s.key = r.key
