-- The kill switch with a reason, and whose it is.
INSERT INTO ssg.switch (name, stopped, reason, set_by) VALUES (%(switch)s, %(stopped)s, %(reason)s, %(set_by)s)
ON CONFLICT (name) DO UPDATE
SET stopped = excluded.stopped, reason = excluded.reason, set_by = excluded.set_by, set_at = now()
