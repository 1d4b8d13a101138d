-- How many live marks of each session of a run SSG was known to hold.
SELECT ssg_session_id, count(*) FROM mirror.attendance WHERE ssg_run_id = %(run)s AND live GROUP BY 1
