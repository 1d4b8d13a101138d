-- Which of these references belong to another record of ours.
SELECT ssg_ref FROM {mirror} WHERE ssg_ref = ANY(%(refs)s) AND key IS NOT NULL AND key <> %(key)s
