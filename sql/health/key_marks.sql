-- The fingerprints of a ring's keys as they were first seen.
SELECT version, mark FROM operations.key_check WHERE ring = %(ring)s
