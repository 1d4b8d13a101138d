-- The newest data key that is wrapped, to see whether our ring opens it.
SELECT subject FROM identity.data_key WHERE wrapped IS NOT NULL ORDER BY created_at DESC LIMIT 1
