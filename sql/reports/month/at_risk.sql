-- Learners and course fees at risk by the review that the report shows, by standing and ("at risk") in all. A learner
-- whom several findings of a run concern is counted once: of a run it is the largest finding about many, or all the
-- trainees that are named one by one, whichever is more.
WITH shown AS (
    SELECT v.shown, d.run_code, d.trainee_ref, d.learners, d.money, d.records
    FROM finding.every_deadline d
    CROSS JOIN LATERAL (
        VALUES (d.standing), (CASE WHEN d.standing <> 'met late' THEN 'at risk' END)) AS v (shown)
    WHERE d.review_id = %(review_id)s AND d.standing IN ('missed', 'near', 'breach', 'met late')
      AND v.shown IS NOT NULL
), of_run AS (
    SELECT shown, run_code, count(*) AS findings, sum(records) AS records
    FROM shown
    GROUP BY shown, run_code
), of_many AS (
    SELECT shown, run_code, max(learners) AS learners, max(money) AS money
    FROM shown
    WHERE trainee_ref IS NULL
    GROUP BY shown, run_code
), of_one AS (
    SELECT shown, run_code, count(*) AS learners, sum(money) AS money
    FROM (SELECT shown, run_code, trainee_ref, max(money) AS money
          FROM shown WHERE trainee_ref IS NOT NULL GROUP BY shown, run_code, trainee_ref) trainee
    GROUP BY shown, run_code
)
SELECT shown, sum(findings)::bigint, sum(records)::bigint, count(*),
       sum(greatest(coalesce(of_many.learners, 0), coalesce(of_one.learners, 0)))::bigint,
       sum(greatest(coalesce(of_many.money, 0), coalesce(of_one.money, 0)))::numeric(14, 2)
FROM of_run
LEFT JOIN of_many USING (shown, run_code)
LEFT JOIN of_one USING (shown, run_code)
GROUP BY shown
ORDER BY array_position(ARRAY['at risk', 'missed', 'breach', 'near', 'met late'], shown)
