-- Insert what is new.
INSERT INTO {register} ({all_columns})
SELECT {all_values}
FROM {stage} s
WHERE NOT EXISTS (SELECT FROM {register} r WHERE r.key = s.key)
