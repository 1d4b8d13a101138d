-- Compliance findings of a review by standing and rule.
SELECT standing, rule, count(*), sum(records)::bigint AS records
FROM finding.every_deadline
WHERE review_id = %(review_id)s
GROUP BY standing, rule
ORDER BY standing, rule
