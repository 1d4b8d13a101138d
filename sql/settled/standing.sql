-- How many findings of each standing are kept of settled runs that stay so; none when everything is looked at.
SELECT standing, count(*)
FROM finding.settled_deadline
WHERE until_review IS NULL AND NOT %(whole)s AND NOT run_code = ANY(%(open)s::text[])
GROUP BY standing
