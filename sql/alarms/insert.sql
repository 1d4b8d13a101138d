-- Raise an alarm unless it was raised before; gives its number only if it is new.
INSERT INTO alarm.alarm (dedup_key, topic, subject, step, severity, role, urgent, sentence, what_to_do, link, figures,
                         correlation_id, raised_at)
SELECT %(dedup_key)s, %(topic)s, %(subject)s, %(step)s, %(severity)s, %(role)s, %(urgent)s, %(sentence)s,
       %(what_to_do)s, %(link)s, %(figures)s, %(correlation_id)s, %(now)s
WHERE NOT EXISTS (
    SELECT FROM alarm.alarm
    WHERE topic = %(topic)s AND subject = %(subject)s AND step = %(step)s AND ended_at IS NULL)
ON CONFLICT (dedup_key) DO NOTHING
RETURNING alarm_id
