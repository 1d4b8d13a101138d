-- Insert what is new. A key that an undo took away goes on counting where its history ends.
INSERT INTO {register} ({all_columns}, version)
SELECT {all_values}, (SELECT coalesce(max(h.version), 0) + 1 FROM {history} h WHERE h.key = s.key)
FROM {stage} s
WHERE NOT EXISTS (SELECT FROM {register} r WHERE r.key = s.key)
