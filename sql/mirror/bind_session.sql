-- A session is known by its run, day and starting time.
WITH runs AS (
    UPDATE mirror.session m
    SET run_code = r.key
    FROM mirror.course_run r
    WHERE r.ssg_ref = m.ssg_run_id AND r.key IS NOT NULL AND m.run_code IS DISTINCT FROM r.key
    RETURNING m.ssg_ref, m.run_code
)
UPDATE mirror.session m
SET key = s.key
FROM register.session s, mirror.course_run r
WHERE m.key IS NULL
  AND m.live
  AND r.ssg_ref = m.ssg_run_id
  AND s.run_code = r.key
  AND s.session_date = m.session_date
  AND s.start_time = m.start_time
  AND NOT EXISTS (SELECT FROM mirror.session other WHERE other.key = s.key AND other.live)
  AND m.ssg_ref = (SELECT min(twin.ssg_ref) FROM mirror.session twin
                    WHERE twin.ssg_run_id = m.ssg_run_id AND twin.key IS NULL AND twin.live
                      AND twin.session_date = m.session_date AND twin.start_time = m.start_time)
