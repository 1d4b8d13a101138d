-- Fees that SSG holds as fully paid, by our key.
SELECT key, created_on, first_seen_at
FROM {mirror} AS held
WHERE live AND key IS NOT NULL AND collection_status = 'Full Payment'
