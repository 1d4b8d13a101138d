-- Our side of a record.
SELECT ssg_hash, live FROM {register} WHERE key = %(key)s
