-- The findings that are kept of settled runs, but for what changes each day and what a full look said of itself.
SELECT run_code, rule, kind, key, trainee_ref, standing, last_day, records, learners, money
FROM finding.settled_deadline
WHERE until_review IS NULL AND rule <> %(full_look)s
