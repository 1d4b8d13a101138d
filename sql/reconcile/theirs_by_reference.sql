-- A record that SSG holds, by its own reference.
SELECT ssg_ref, ssg_hash FROM {mirror} WHERE ssg_ref = %(reference)s AND live
