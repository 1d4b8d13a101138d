-- SSG deletes all sessions with their run (ssg-api 4.3). Nobody took these away one by one: if the run comes back, so
-- do they.
UPDATE mirror.session s
SET live = false, ssg_status = 'gone', agreed_hash = NULL, agreed_key = NULL, seen_at = %(seen_at)s, seen_how = 'read'
FROM mirror.course_run r
WHERE r.ssg_ref = s.ssg_run_id AND NOT r.live AND s.live AND s.seen_at < %(seen_at)s
