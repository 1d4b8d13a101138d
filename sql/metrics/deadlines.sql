-- Deadlines of the last review, by standing and rule.
SELECT standing, rule, count(*) FROM finding.every_deadline
WHERE review_id = (SELECT max(review_id) FROM finding.review WHERE about = 'compliance')
GROUP BY standing, rule
