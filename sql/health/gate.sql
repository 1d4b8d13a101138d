-- The breaker and the kill switch, over all credentials of this database.
SELECT coalesce((SELECT bool_or(opened_at IS NOT NULL) FROM ssg.breaker), false),
       (SELECT extract(epoch FROM now() - min(opened_at))::float8 FROM ssg.breaker),
       coalesce((SELECT max(failures) FROM ssg.breaker), 0),
       (SELECT reason FROM ssg.switch WHERE name = %(switch)s AND stopped)
