-- A destruction that the dump does not know, or knows as not finished.
INSERT INTO rights.destruction (certificate_id, destroyed_at, destroyed_by, sha256, counts, finished_at)
VALUES (%(number)s, %(at)s, %(by)s, %(sha256)s, %(counts)s, %(finished)s)
ON CONFLICT (certificate_id) DO UPDATE
SET sha256 = excluded.sha256, counts = excluded.counts, finished_at = excluded.finished_at
