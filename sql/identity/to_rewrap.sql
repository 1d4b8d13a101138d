-- Data keys that another version than this wraps, a batch; rows that somebody else holds are taken by the next batch.
SELECT subject, wrapped, ring_version
FROM identity.data_key
WHERE wrapped IS NOT NULL AND ring_version <> %(version)s
ORDER BY subject
LIMIT %(limit)s
FOR UPDATE SKIP LOCKED
