-- How many seconds ago SSG took our new run, by Postgres's clock; no row when it was there before us.
SELECT extract(epoch FROM now() - max(finished_at))::float8
FROM outbox.submission
WHERE kind = 'course_run' AND key = %(run)s AND action = 'create' AND state = 'accepted'
