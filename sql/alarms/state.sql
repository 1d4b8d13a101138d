-- The single numbers that alarms look at.
SELECT
    (SELECT count(*) FROM outbox.submission WHERE state IN ('rejected', 'dead')),
    (SELECT min(created_at) FROM outbox.submission WHERE state IN ('ready', 'sending', 'retry', 'unknown')),
    (SELECT count(*) FROM outbox.submission WHERE state IN ('ready', 'sending', 'retry', 'unknown')),
    (SELECT min(opened_at) FROM ssg.breaker WHERE opened_at IS NOT NULL),
    (SELECT max(finished_at) FROM outbox.nightly WHERE finished_at IS NOT NULL),
    (SELECT min(received_at) FROM intake.upload)
