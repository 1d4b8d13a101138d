-- Alarms that stand and that nobody has acknowledged.
SELECT topic, severity, count(*) FROM alarm.alarm
WHERE ended_at IS NULL AND acknowledged_at IS NULL GROUP BY topic, severity
