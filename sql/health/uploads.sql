-- Uploads that were received and not taken in, and how long the oldest waits, in seconds.
SELECT count(*), coalesce(extract(epoch FROM now() - min(received_at)), 0)::float8
FROM intake.upload WHERE state = 'received'
