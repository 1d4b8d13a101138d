-- Which of these references we had seen before we first sent this; a person's retry does not change when that was.
SELECT ssg_ref FROM {mirror}
WHERE ssg_ref = ANY(%(refs)s)
  AND first_seen_at < (SELECT min(started_at) FROM outbox.attempt WHERE submission_id = %(id)s AND step = 'send')
