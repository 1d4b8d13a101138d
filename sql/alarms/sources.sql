-- When each source last sent a file; a source that was given up long ago is forgotten.
SELECT source, max(received_at)
FROM intake.upload
WHERE state <> 'undone'
GROUP BY source
HAVING max(received_at) > %(now)s - interval '180 days'
ORDER BY source
