-- The last look at everything, whether a table was emptied since, and whether row rules hide rows from who asks.
SELECT f.as_of, f.fingerprint, EXISTS (SELECT FROM finding.touched_run WHERE run_code = '*'),
       row_security_active('finding.looked_run')
FROM finding.full_look f
ORDER BY f.review_id DESC
LIMIT 1
