-- References that were given after the dump stay those people's: none is given a second time.
SELECT setval('identity.trainee_number', greatest(
    (SELECT last_value FROM identity.trainee_number),
    (SELECT coalesce(max(substring(subject FROM '(\d+)$')::bigint), 1) FROM identity.data_key
     WHERE subject ~ '^trainee:.*\d+$')))
WHERE EXISTS (SELECT FROM identity.data_key WHERE subject ~ '^trainee:.*\d+$')
