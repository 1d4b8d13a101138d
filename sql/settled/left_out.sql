-- The last day of the latest settled run that a report leaves out, the findings about such runs, and how many of the
-- runs broke a rule.
SELECT (SELECT max(c.end_date) FROM finding.looked_run l JOIN register.course_run c ON c.key = l.run_code
        WHERE l.settled AND NOT l.run_code = ANY(%(open)s)),
       count(*),
       count(DISTINCT run_code) FILTER (WHERE standing = 'breach')
FROM finding.every_deadline
WHERE review_id = %(review_id)s AND NOT run_code = ANY(%(open)s) AND rule <> 'full-look'
