-- The wrapped data keys of fresh_wrap in the place of the old ones.
UPDATE identity.data_key k
SET wrapped = f.wrapped, ring_version = %(version)s
FROM fresh_wrap f
WHERE k.subject = f.subject AND k.wrapped IS NOT NULL
