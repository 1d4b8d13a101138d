-- The balance of an upload, counted from its landing rows; what was said at intake is not asked.
SELECT u.rows,
       count(l.status) FILTER (WHERE l.status = 'accepted'),
       count(l.status) FILTER (WHERE l.status = 'unchanged'),
       count(l.status) FILTER (WHERE l.status = 'rejected'),
       count(l.status) FILTER (WHERE l.status = 'superseded')
FROM intake.upload u
LEFT JOIN intake.landing_row l USING (upload_id)
WHERE u.upload_id = %(upload_id)s
GROUP BY u.rows
