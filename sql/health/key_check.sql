-- The fingerprint of a key as it was first seen; keeps it if this is the first look.
INSERT INTO operations.key_check AS k (ring, version, mark) VALUES (%(ring)s, %(version)s, %(mark)s)
ON CONFLICT (ring, version) DO UPDATE SET ring = k.ring
RETURNING mark
