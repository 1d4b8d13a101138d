-- What SSG accepted, by kind and action: of one run, or of all.
SELECT kind, action, count(*)
FROM outbox.submission
WHERE state = 'accepted' AND (%(run)s::text IS NULL OR run_code = %(run)s)
GROUP BY kind, action
ORDER BY kind, action
