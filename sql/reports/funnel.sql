-- From the typed row to SSG: rows received, rows accepted, records that should be at SSG, sent, and there.
WITH wanted AS (
              SELECT 'trainer' AS kind, key FROM register.trainer WHERE live
    UNION ALL SELECT 'course_run', key FROM register.course_run WHERE live
    UNION ALL SELECT 'session', key FROM register.session WHERE live
    UNION ALL SELECT 'enrolment', key FROM register.enrolment WHERE live
    UNION ALL SELECT 'fee', key FROM register.fee WHERE live
    UNION ALL SELECT 'attendance', key FROM register.attendance WHERE live
    UNION ALL SELECT 'assessment', key FROM register.assessment WHERE live
),
there AS (
    SELECT DISTINCT kind, key FROM mirror.live
)
SELECT (SELECT coalesce(sum(rows), 0)::bigint FROM intake.upload WHERE state <> 'undone') AS rows_received,
       (SELECT coalesce(sum(accepted + unchanged), 0)::bigint FROM intake.upload WHERE state <> 'undone') AS rows_taken,
       (SELECT count(*) FROM wanted) AS wanted,
       (SELECT count(*) FROM wanted JOIN there USING (kind, key)) AS there
