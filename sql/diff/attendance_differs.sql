-- The attendance marks on which both sides differ: a join on the stored hashes and nothing else, because there are
-- very many marks and few of them differ. attendance.sql says of these what is to be done.
SELECT r.key
FROM register.attendance r
LEFT JOIN mirror.attendance m ON m.key = r.key AND m.live
WHERE (r.live AND m.ssg_hash IS DISTINCT FROM r.ssg_hash) OR (NOT r.live AND m.live)
