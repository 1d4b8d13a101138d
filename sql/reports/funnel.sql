-- From the typed row to SSG: rows received, rows accepted, records that should be at SSG, and of these there.
-- Kind by kind: one join over all kinds at once has no statistics to be planned by.
WITH records AS (
    SELECT count(*) AS wanted, count(m.key) AS there
    FROM register.trainer r
    LEFT JOIN (SELECT DISTINCT key FROM mirror.trainer AS x WHERE live) m ON m.key = r.key
    WHERE r.live
    UNION ALL
    SELECT count(*) AS wanted, count(m.key) AS there
    FROM register.course_run r
    LEFT JOIN (SELECT DISTINCT key FROM mirror.course_run AS x WHERE live) m ON m.key = r.key
    WHERE r.live
    UNION ALL
    SELECT count(*) AS wanted, count(m.key) AS there
    FROM register.session r
    LEFT JOIN (SELECT DISTINCT key FROM mirror.session AS x WHERE live) m ON m.key = r.key
    WHERE r.live
    UNION ALL
    SELECT count(*) AS wanted, count(m.key) AS there
    FROM register.enrolment r
    LEFT JOIN (SELECT DISTINCT key FROM mirror.enrolment AS x WHERE live) m ON m.key = r.key
    WHERE r.live
    UNION ALL
    SELECT count(*) AS wanted, count(m.key) AS there
    FROM register.fee r
    LEFT JOIN (SELECT DISTINCT key FROM mirror.fee AS x WHERE live) m ON m.key = r.key
    WHERE r.live
    UNION ALL
    SELECT count(*) AS wanted, count(m.key) AS there
    FROM register.attendance r
    LEFT JOIN (SELECT DISTINCT key FROM mirror.attendance AS x WHERE live) m ON m.key = r.key
    WHERE r.live
    UNION ALL
    SELECT count(*) AS wanted, count(m.key) AS there
    FROM register.assessment r
    LEFT JOIN (SELECT DISTINCT key FROM mirror.assessment AS x WHERE live) m ON m.key = r.key
    WHERE r.live
)
SELECT (SELECT coalesce(sum(rows), 0)::bigint FROM intake.upload WHERE state <> 'undone') AS rows_received,
       (SELECT coalesce(sum(accepted + unchanged), 0)::bigint FROM intake.upload WHERE state <> 'undone') AS rows_taken,
       sum(wanted)::bigint AS wanted,
       sum(there)::bigint AS there
FROM records
