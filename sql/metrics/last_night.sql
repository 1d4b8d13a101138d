-- What the last sync that finished sent and read.
SELECT ssg_writes, ssg_reads FROM outbox.nightly WHERE finished_at IS NOT NULL ORDER BY nightly_id DESC LIMIT 1
