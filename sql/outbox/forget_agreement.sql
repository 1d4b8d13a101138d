-- What was agreed on of other references of this record does not count any more: SSG holds a new one.
UPDATE {mirror} SET agreed_key = NULL, agreed_hash = NULL WHERE agreed_key = %(key)s AND ssg_ref <> %(ref)s
  AND (NOT live OR key IS DISTINCT FROM agreed_key)
