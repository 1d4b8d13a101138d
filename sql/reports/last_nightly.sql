-- How much the last finished sync wrote to SSG.
SELECT ssg_writes FROM outbox.nightly WHERE finished_at IS NOT NULL ORDER BY nightly_id DESC LIMIT 1
