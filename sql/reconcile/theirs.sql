-- SSG's side of a record: what stands for it now, or did when we last agreed; \x00 if that is gone.
SELECT ssg_ref, CASE WHEN live THEN ssg_hash ELSE '\x00' END FROM {mirror} WHERE key = %(key)s OR agreed_key = %(key)s ORDER BY live DESC, ssg_ref
