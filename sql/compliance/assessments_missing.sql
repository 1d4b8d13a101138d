-- Trainees of ended runs with fewer assessments than the course asks for, by run.
SELECT run_code, count(*) AS learners, sum(needed - have) AS assessments, min(needed) AS needed
FROM (
    SELECT e.run_code, e.trainee_ref, asked.needed, count(a.key) AS have
    FROM register.enrolment e
    JOIN unnest(%(run_codes)s::text[], %(needed)s::integer[]) AS asked (run_code, needed)
      ON asked.run_code = e.run_code
    JOIN register.course_run r ON r.key = e.run_code AND r.live AND r.end_date < %(today)s
    LEFT JOIN register.assessment a
           ON a.run_code = e.run_code AND a.trainee_ref = e.trainee_ref AND a.live
    WHERE e.live
    GROUP BY e.run_code, e.trainee_ref, asked.needed
    HAVING count(a.key) < asked.needed
) trainee
GROUP BY run_code
ORDER BY run_code
