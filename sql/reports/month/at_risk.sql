-- Learners and course fees at risk by the review that the report shows. A learner whom several findings of a run
-- concern is counted once: of a run the largest finding about many, or all the trainees named one by one.
WITH of_run AS (
    SELECT standing, run_code,
           greatest(coalesce(max(learners) FILTER (WHERE trainee_ref IS NULL), 0),
                    count(DISTINCT trainee_ref)) AS learners,
           greatest(coalesce(max(money) FILTER (WHERE trainee_ref IS NULL), 0),
                    coalesce((SELECT sum(one.money)
                              FROM (SELECT max(x.money) AS money FROM finding.deadline x
                                    WHERE x.review_id = %(review_id)s AND x.standing = d.standing
                                      AND x.run_code = d.run_code AND x.trainee_ref IS NOT NULL
                                    GROUP BY x.trainee_ref) one), 0)) AS money,
           count(*) AS findings, sum(records) AS records
    FROM finding.deadline d
    WHERE review_id = %(review_id)s AND standing IN ('missed', 'near', 'breach', 'met late')
    GROUP BY standing, run_code
)
SELECT standing, sum(findings)::bigint, sum(records)::bigint, count(*), sum(learners)::bigint,
       sum(money)::numeric(14, 2)
FROM of_run
GROUP BY standing
ORDER BY array_position(ARRAY['missed', 'breach', 'near', 'met late'], standing)
