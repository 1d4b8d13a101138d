-- The data keys of an export in a restored database. A key that is shredded on one side is shredded on both; of a key
-- that both sides hold the later one counts, so that an older export that is read after a newer one changes nothing.
INSERT INTO identity.data_key AS k (subject, wrapped, ring_version, created_at, shredded_at)
SELECT subject, wrapped, ring_version, created_at, shredded_at FROM rejoined
ON CONFLICT (subject) DO UPDATE
SET (wrapped, ring_version, created_at) = (
        SELECT CASE WHEN k.shredded_at IS NULL AND excluded.shredded_at IS NULL THEN later.wrapped END,
               later.ring_version, later.created_at
        FROM (VALUES (k.wrapped, k.ring_version, k.created_at, 0),
                     (excluded.wrapped, excluded.ring_version, excluded.created_at, 1))
             AS later (wrapped, ring_version, created_at, side)
        ORDER BY later.created_at DESC, later.ring_version DESC, later.side DESC
        LIMIT 1),
    shredded_at = coalesce(k.shredded_at, excluded.shredded_at)
