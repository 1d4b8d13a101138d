-- Uploads with rows that wait for something, oldest first.
SELECT u.upload_id
FROM intake.upload u
WHERE u.state = 'taken in'
  AND EXISTS (SELECT FROM intake.landing_row l WHERE l.upload_id = u.upload_id AND l.waiting)
ORDER BY u.received_at, u.upload_id
