-- Errors that nobody acknowledged in time, with how often they were handed on already.
SELECT alarm_id, escalations
FROM alarm.alarm
WHERE ended_at IS NULL AND acknowledged_at IS NULL AND severity = 'error' AND escalations < %(levels)s
  AND raised_at + (escalations + 1) * %(hours)s * interval '1 hour' <= %(now)s
ORDER BY alarm_id
FOR UPDATE
