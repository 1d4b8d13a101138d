-- Data keys that are not shredded, by the version of the ring that wraps them.
SELECT ring_version, count(*)::int FROM identity.data_key WHERE wrapped IS NOT NULL GROUP BY 1
