-- When each stage last went well, in seconds of Unix.
SELECT 'nightly', extract(epoch FROM max(finished_at))::float8 FROM outbox.nightly
UNION ALL SELECT 'upload', extract(epoch FROM max(finished_at))::float8 FROM intake.upload WHERE state = 'taken in'
UNION ALL SELECT 'read', extract(epoch FROM finished_at)::float8 FROM (
    SELECT finished_at FROM mirror.read WHERE state = 'read' ORDER BY read_id DESC LIMIT 1) AS r
UNION ALL SELECT 'submission', extract(epoch FROM finished_at)::float8 FROM (
    SELECT finished_at FROM outbox.attempt WHERE outcome = 'accepted' ORDER BY attempt_id DESC LIMIT 1) AS a
UNION ALL SELECT about, extract(epoch FROM max(started_at))::float8 FROM finding.review GROUP BY about
