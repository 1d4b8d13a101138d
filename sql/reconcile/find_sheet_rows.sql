-- Each of them with the first thing that is wrong, and files of which nothing was taken yet.
INSERT INTO finding.sheet_row (review_id, class, kinds, upload_id, sheet, row_number, field, code, sentence, since, what_to_do)
SELECT %(review)s, CASE WHEN l.waiting THEN 'waiting' WHEN l.state = 'held' THEN 'withheld' ELSE 'missing here' END,
       l.kinds, l.upload_id, l.sheet, l.row_number, f.column_title, f.code,
       coalesce(f.sentence, nullif(l.note, ''), 'The row was not taken.'), l.received_at,
       coalesce(f.fix, 'Look at the result workbook of this upload.')
FROM unanswered l
LEFT JOIN (
    SELECT DISTINCT ON (x.upload_id, x.sheet, x.row_number)
           x.upload_id, x.sheet, x.row_number, x.column_title, x.code, x.sentence, x.fix
    FROM intake.rejection x
    WHERE x.severity = 'error' AND x.upload_id IN (SELECT upload_id FROM unanswered)
    ORDER BY x.upload_id, x.sheet, x.row_number, x.rejection_id
) AS f ON f.upload_id = l.upload_id AND f.row_number = l.row_number AND f.sheet IS NOT DISTINCT FROM l.sheet
UNION ALL
SELECT %(review)s, CASE u.state WHEN 'held' THEN 'withheld' WHEN 'received' THEN 'waiting' ELSE 'not read' END, u.kinds,
       u.upload_id, NULL, NULL, NULL, NULL, coalesce(nullif(u.sentence, ''), 'The file was received and not taken in.'),
       u.received_at,
       CASE u.state WHEN 'held' THEN 'Look at its result and release it if the good rows shall count (''tms release'').'
                    WHEN 'received' THEN 'Nothing: it is taken in by the next run.'
                    ELSE 'Look at its result page, correct the file and drop it again.' END
FROM intake.upload u
-- What waits for a person or a run is shown for as long as it waits.
WHERE u.state IN ('held', 'received') OR u.state = 'refused' AND u.received_at >= %(since)s
