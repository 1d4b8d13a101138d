-- Records whose part of SSG was not read last time: what is not known cannot differ.
WITH last AS (
    SELECT DISTINCT ON (kind, scope) kind, scope, state
    FROM mirror.read WHERE kind IN ('course_run', 'session', 'attendance') ORDER BY kind, scope, read_id DESC
), dark AS (SELECT kind, scope FROM last WHERE state = 'not read')
SELECT 'course_run' AS kind, r.key FROM register.course_run r JOIN dark d ON d.kind = 'course_run' AND d.scope = r.course_reference
UNION ALL
SELECT d.kind, x.key
FROM dark d
JOIN mirror.course_run m ON m.ssg_ref = d.scope AND m.live
JOIN (SELECT 'session' AS kind, key, run_code FROM register.session AS s
      UNION ALL SELECT 'attendance', key, run_code FROM register.attendance AS a) AS x
  ON x.kind = d.kind AND x.run_code = m.key
