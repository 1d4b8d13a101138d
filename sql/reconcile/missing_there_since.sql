-- Since when our register has held the records that SSG lacks.
SELECT key, valid_from FROM {register} WHERE key = ANY(%(keys)s)
