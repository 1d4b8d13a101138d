-- Course runs that are alike in everything, each of SSG's beside each of ours, with what the two have in common. Left
-- out is where nothing can be chosen, and a match under which we have submitted something: that one stays.
WITH theirs AS (
    SELECT m.own_hash, m.course_reference, m.ssg_ref, m.key
    FROM mirror.course_run m
    WHERE m.live AND (m.key IS NULL OR (
        EXISTS (SELECT FROM register.course_run r WHERE r.key = m.key AND r.own_hash = m.own_hash)
        AND NOT EXISTS (SELECT FROM outbox.submission s WHERE s.run_code = m.key AND s.state = 'accepted')))
), ours AS (
    SELECT r.own_hash, r.key
    FROM register.course_run r
    WHERE r.live AND NOT EXISTS (
        SELECT FROM mirror.course_run m
        WHERE m.key = r.key AND m.live AND m.ssg_ref NOT IN (SELECT ssg_ref FROM theirs))
), choice AS (
    SELECT own_hash
    FROM (SELECT own_hash, count(*) AS held FROM theirs GROUP BY own_hash) AS t
    JOIN (SELECT own_hash, count(*) AS registered FROM ours GROUP BY own_hash) AS o USING (own_hash)
    WHERE greatest(t.held, o.registered) > 1
)
SELECT t.own_hash, t.course_reference, t.ssg_ref, o.key, coalesce(t.key = o.key, false) AS matched,
       (SELECT count(*) FROM mirror.enrolment e
          JOIN identity.trainee i ON i.nric_mark = e.nric_mark
          JOIN register.enrolment x ON x.key = o.key || '|' || i.trainee_ref AND x.live
         WHERE e.ssg_run_id = t.ssg_ref AND e.live) AS enrolments,
       (SELECT count(*) FROM mirror.session h
          JOIN register.session x ON x.run_code = o.key AND x.live
               AND x.session_date = h.session_date AND x.start_time = h.start_time
         WHERE h.ssg_run_id = t.ssg_ref AND h.live) AS sessions,
       (SELECT count(*) FROM mirror.session h WHERE h.ssg_run_id = t.ssg_ref AND h.live)
       + (SELECT count(*) FROM register.session x WHERE x.run_code = o.key AND x.live) AS all_sessions
FROM choice
JOIN theirs t USING (own_hash)
JOIN ours o USING (own_hash)
ORDER BY t.own_hash, t.ssg_ref, o.key
