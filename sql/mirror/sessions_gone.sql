-- SSG deletes all sessions with their run (ssg-api 4.3).
UPDATE mirror.session s
SET live = false, ssg_status = 'gone', seen_at = %(seen_at)s, seen_how = 'read'
FROM mirror.course_run r
WHERE r.ssg_ref = s.ssg_run_id AND NOT r.live AND s.live AND s.seen_at < %(seen_at)s
