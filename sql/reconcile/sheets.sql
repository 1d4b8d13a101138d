-- Sheet rows of the last days that are not in the registers as they were typed. Rows that were rejected are answered by
-- a corrected sheet of ours (it has a column 'Row in your file') of the same kinds that came later and has as many rows.
WITH table_of AS (
    SELECT t.upload_id, t.table_no, t.sheet, t.kinds, u.received_at, u.state,
           EXISTS (SELECT FROM jsonb_array_elements_text(t.headings) AS heading
                   WHERE lower(regexp_replace(heading, '[^A-Za-z]', '', 'g')) = 'rowinyourfile') AS corrected,
           (SELECT count(*) FROM intake.landing_row l
             WHERE l.upload_id = t.upload_id AND l.table_no = t.table_no) AS rows,
           (SELECT count(*) FROM intake.landing_row l
             WHERE l.upload_id = t.upload_id AND l.table_no = t.table_no AND l.status = 'rejected' AND NOT l.waiting)
               AS rejected
    FROM intake.landing_table t
    JOIN intake.upload u USING (upload_id)
    WHERE u.received_at >= %(since)s AND u.state <> 'undone'
), unanswered AS (
    SELECT a.*
    FROM table_of a
    WHERE a.rejected > coalesce((SELECT sum(b.rows) FROM table_of b
                                  WHERE b.corrected AND b.kinds = a.kinds AND b.received_at > a.received_at), 0)
)
INSERT INTO finding.sheet_row (review_id, class, kinds, upload_id, sheet, row_number, field, code, sentence, since, what_to_do)
SELECT %(review)s, CASE WHEN l.waiting THEN 'waiting' WHEN a.state = 'held' THEN 'withheld' ELSE 'missing here' END,
       a.kinds, a.upload_id, a.sheet, l.row_number, f.column_title, f.code,
       coalesce(f.sentence, nullif(l.note, ''), 'The row was not taken.'), a.received_at,
       coalesce(f.fix, 'Look at the result workbook of this upload.')
FROM unanswered a
JOIN intake.landing_row l ON l.upload_id = a.upload_id AND l.table_no = a.table_no AND l.status = 'rejected'
LEFT JOIN LATERAL (
    SELECT x.column_title, x.code, x.sentence, x.fix
    FROM intake.rejection x
    WHERE x.upload_id = l.upload_id AND x.row_number = l.row_number AND x.severity = 'error'
      AND x.sheet IS NOT DISTINCT FROM a.sheet
    ORDER BY x.rejection_id
    LIMIT 1
) AS f ON true
UNION ALL
SELECT %(review)s, CASE u.state WHEN 'held' THEN 'withheld' WHEN 'received' THEN 'waiting' ELSE 'not read' END, u.kinds,
       u.upload_id, NULL, NULL, NULL, NULL, coalesce(nullif(u.sentence, ''), 'The file was received and not taken in.'),
       u.received_at,
       CASE u.state WHEN 'held' THEN 'Look at its result and release it if the good rows shall count (''tms release'').'
                    WHEN 'received' THEN 'Nothing: it is taken in by the next run.'
                    ELSE 'Look at its result page, correct the file and drop it again.' END
FROM intake.upload u
WHERE u.received_at >= %(since)s AND u.state IN ('held', 'refused', 'received')
