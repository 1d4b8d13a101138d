-- Trainees whose attendance rate is below the run's percentage so far or can no longer reach it.
-- attended, marked and whole are numbers of sessions, or of hours for runs counted by hours.
-- A session that nobody has marked for the trainee may still turn out attended, so it is neither.
WITH asked AS (
    SELECT *
    FROM unnest(%(run_codes)s::text[], %(percents)s::numeric[], %(by_hours)s::boolean[])
        AS asked (run_code, percent, by_hours)
),
weighed AS (
    SELECT s.run_code, s.session_no, s.session_date, asked.percent,
           CASE WHEN asked.by_hours THEN extract(epoch FROM s.end_time - s.start_time)::numeric / 3600
                ELSE 1 END AS weight,
           asked.by_hours
    FROM register.session s
    JOIN asked ON asked.run_code = s.run_code
    WHERE s.live
),
trainee AS (
    SELECT e.run_code, e.trainee_ref, min(w.percent) AS percent, bool_or(w.by_hours) AS by_hours,
           sum(w.weight) AS whole,
           coalesce(sum(w.weight) FILTER (WHERE a.key IS NOT NULL), 0) AS marked,
           -- On-the-job attendance counts the hours done, no more than the session has.
           coalesce(sum(CASE WHEN w.by_hours THEN least(coalesce(a.hours, w.weight), w.weight) ELSE w.weight END)
                    FILTER (WHERE a.mark IN ('present', 'late')), 0) AS attended
    FROM register.enrolment e
    JOIN weighed w ON w.run_code = e.run_code
    LEFT JOIN register.attendance a
           ON a.run_code = e.run_code AND a.session_no = w.session_no AND a.trainee_ref = e.trainee_ref
    WHERE e.live
    GROUP BY e.run_code, e.trainee_ref
)
SELECT run_code, trainee_ref, percent, by_hours, whole, marked, attended,
       100 * (attended + whole - marked) < percent * whole AS out_of_reach
FROM trainee
WHERE whole > 0
  AND marked > 0
  AND (100 * attended < percent * marked OR 100 * (attended + whole - marked) < percent * whole)
ORDER BY run_code, trainee_ref
