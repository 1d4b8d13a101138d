-- What stands no more is over. ``standing`` holds topic, subject and step of all that does.
UPDATE alarm.alarm SET ended_at = %(now)s
WHERE ended_at IS NULL
  AND NOT EXISTS (
    SELECT FROM unnest(%(topics)s::text[], %(subjects)s::text[], %(steps)s::integer[]) AS s (topic, subject, step)
    WHERE s.topic = alarm.topic AND s.subject = alarm.subject AND s.step = alarm.step)
