-- The data keys of an export in a restored database. A key that is shredded on one side is shredded on both.
INSERT INTO identity.data_key AS k (subject, wrapped, ring_version, created_at, shredded_at)
SELECT subject, wrapped, ring_version, created_at, shredded_at FROM rejoined
ON CONFLICT (subject) DO UPDATE
SET wrapped = CASE WHEN k.shredded_at IS NULL AND excluded.shredded_at IS NULL THEN excluded.wrapped END,
    ring_version = excluded.ring_version,
    created_at = excluded.created_at,
    shredded_at = coalesce(k.shredded_at, excluded.shredded_at)
