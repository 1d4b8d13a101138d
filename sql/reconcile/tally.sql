-- The numbers of a review: by record, by field, and what agrees.
INSERT INTO finding.tally (review_id, comparison, kind, field, class, records)
SELECT %(review)s, comparison, kind, '', class, count(DISTINCT (key, ssg_ref))
FROM finding.discrepancy WHERE review_id = %(review)s
GROUP BY comparison, kind, class
UNION ALL
SELECT %(review)s, comparison, kind, field, class, count(DISTINCT (key, ssg_ref))
FROM finding.discrepancy WHERE review_id = %(review)s AND field IS NOT NULL
GROUP BY comparison, kind, field, class
UNION ALL
SELECT %(review)s, 'register to SSG', kind, '', 'matched', records
FROM unnest(%(kinds)s::text[], %(matched)s::bigint[]) AS m (kind, records)
UNION ALL
SELECT %(review)s, 'register to SSG', kind, field, 'matched', records
FROM unnest(%(field_kinds)s::text[], %(fields)s::text[], %(field_matched)s::bigint[]) AS f (kind, field, records)
UNION ALL
SELECT %(review)s, 'register to SSG', kind, '', 'resolved', records
FROM unnest(%(resolved_kinds)s::text[], %(resolved)s::bigint[]) AS s (kind, records)
UNION ALL
SELECT %(review)s, 'sheet to register', kind, '', class, count(*)
FROM finding.sheet_row, unnest(kinds) AS kind WHERE review_id = %(review)s
GROUP BY kind, class
UNION ALL
SELECT %(review)s, 'sheet to register', kind, '', 'matched', records
FROM unnest(%(sheet_kinds)s::text[], %(sheet_matched)s::bigint[]) AS s (kind, records)
