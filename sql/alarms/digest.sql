-- The three numbers of the morning: rows to fix, submissions that need a person, records that are late or due soon.
SELECT
    (SELECT coalesce(sum(rejected), 0)::integer FROM intake.upload
     WHERE received_at > %(now)s - interval '7 days' AND state IN ('taken in', 'held', 'refused')),
    (SELECT count(*)::integer FROM outbox.submission WHERE state IN ('rejected', 'dead')),
    (SELECT coalesce(sum(records), 0)::integer FROM finding.deadline
     WHERE review_id = (SELECT max(review_id) FROM finding.review WHERE about = 'compliance')
       AND standing IN ('missed', 'near') AND last_day IS NOT NULL AND trainee_ref IS NULL)
