-- The last review about something, as of a day or before.
SELECT review_id, as_of, started_at, counts
FROM finding.review
WHERE about = %(about)s AND as_of <= %(today)s
ORDER BY as_of DESC, review_id DESC
LIMIT 1
