-- How many records of this scope SSG was known to hold before a moment.
SELECT count(*) FROM {mirror} m WHERE m.live AND m.seen_at < %(before)s AND {where}
