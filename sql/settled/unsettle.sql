-- The kept findings of runs that are looked at again end before this review.
UPDATE finding.settled_deadline SET until_review = %(review)s
WHERE until_review IS NULL AND (%(whole)s OR run_code = ANY(%(runs)s))
