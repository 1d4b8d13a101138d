-- Replace what differs; only changed rows are staged, so nothing is written for an unchanged one.
UPDATE {register} r
SET ({value_columns}) = ROW ({new_values}),
    version = r.version + 1,
    valid_from = now()
FROM {stage} s
WHERE r.key = s.key
