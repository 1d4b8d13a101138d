-- SSG's side of a record: what stands for it now, or did when we last agreed.
SELECT ssg_ref, ssg_hash FROM {mirror} WHERE key = %(key)s OR agreed_key = %(key)s ORDER BY live DESC, ssg_ref
