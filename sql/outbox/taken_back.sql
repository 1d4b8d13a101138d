-- We took it back at SSG: both sides agree that it is gone.
UPDATE {mirror}
SET live = false, ssg_status = %(status)s, agreed_hash = '\x00', agreed_key = coalesce(key, %(key)s),
    seen_at = clock_timestamp(), seen_how = 'write'
WHERE {where}
