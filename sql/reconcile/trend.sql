-- Discrepancies by day: the last review of each day, with what agreed. ``records`` are records, not lines.
WITH last_of_day AS (
    SELECT DISTINCT ON (as_of) as_of, review_id
    FROM finding.review
    WHERE about = 'reconciliation' AND as_of <= %(today)s AND as_of > %(today)s - %(days)s::integer
    ORDER BY as_of DESC, review_id DESC
)
SELECT d.as_of, t.comparison, t.kind, t.class, t.records
FROM last_of_day d
JOIN finding.tally t USING (review_id)
WHERE t.field = ''
ORDER BY d.as_of, t.comparison, t.kind, t.class
