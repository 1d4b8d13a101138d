-- How many live marks of each session of a run SSG was known to hold before a moment.
SELECT ssg_session_id, count(*)
FROM mirror.attendance
WHERE ssg_run_id = %(run)s AND live AND seen_at < %(before)s
GROUP BY 1
