-- The uploads of the last week, in numbers.
SELECT upload_id, state, rows, rejected
FROM intake.upload
WHERE received_at > %(now)s - interval '7 days' AND state IN ('taken in', 'held', 'refused')
ORDER BY received_at
