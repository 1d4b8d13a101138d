-- Our codes of the trainers that SSG is known to hold.
SELECT lower(ssg_ref), key FROM mirror.trainer WHERE key IS NOT NULL AND live
