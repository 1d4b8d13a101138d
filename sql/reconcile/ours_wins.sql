-- What SSG holds now was looked at and is what a difference is measured by from here on.
UPDATE {mirror}
SET agreed_hash = CASE WHEN live AND key = %(key)s THEN ssg_hash END,
    agreed_key = CASE WHEN live AND key = %(key)s THEN key END
WHERE key = %(key)s AND (live OR agreed_key IS NOT NULL) OR agreed_key = %(key)s
