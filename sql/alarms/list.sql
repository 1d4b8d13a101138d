-- Alarms with how they were told, the open ones or all of them, errors first.
SELECT a.alarm_id, a.topic, a.step, a.severity, a.role, a.sentence, a.what_to_do, a.link, a.figures, a.raised_at,
       a.ended_at, a.acknowledged_at, a.acknowledged_by, a.acknowledged_why, a.escalations,
       count(m.message_id) AS messages, count(m.sent_at) AS sent
FROM alarm.alarm a
LEFT JOIN alarm.message_alarm l USING (alarm_id)
LEFT JOIN alarm.message m USING (message_id)
WHERE %(all)s OR a.ended_at IS NULL
GROUP BY a.alarm_id
ORDER BY a.ended_at IS NOT NULL, a.severity, a.alarm_id
