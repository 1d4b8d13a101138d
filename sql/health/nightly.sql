-- Seconds since the last sync finished, its state, and for how long one that is not finished runs.
SELECT (SELECT extract(epoch FROM now() - max(finished_at))::float8 FROM outbox.nightly),
       (SELECT state FROM outbox.nightly WHERE finished_at IS NOT NULL ORDER BY nightly_id DESC LIMIT 1),
       (SELECT extract(epoch FROM now() - started_at)::float8 FROM outbox.nightly
        WHERE finished_at IS NULL AND nightly_id = (SELECT max(nightly_id) FROM outbox.nightly))
