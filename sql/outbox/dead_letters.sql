-- Dead letters, nearest deadline first, with how many submissions wait behind each, however far.
SELECT d.submission_id, d.kind, d.key, d.action, d.state, coalesce(d.finished_at, d.updated_at) AS since, d.attempts,
       d.error_code, d.sentence,
       CASE WHEN d.state = 'dead' AND d.needs_search THEN %(sent)s ELSE d.remedy END AS remedy, d.reason, d.deadline, d.upload_id, d.sheet, d.row_number,
       (WITH RECURSIVE behind (submission_id, name) AS (
            SELECT d.submission_id, d.kind || ':' || d.key
            UNION
            SELECT s.submission_id, s.kind || ':' || s.key
            FROM behind b
            JOIN outbox.submission s ON (s.parents @> ARRAY[b.name] OR s.follows @> ARRAY[b.name])
                AND s.state IN ('planned', 'held', 'ready', 'retry', 'rejected', 'dead')
        ) SELECT count(*) - 1 FROM behind)::int AS behind
FROM outbox.submission d
WHERE d.state IN ('rejected', 'dead')
  AND (%(id)s::bigint IS NULL OR d.submission_id = %(id)s)
  AND (%(code)s::text IS NULL OR d.error_code = %(code)s)
  AND (%(kind)s::text IS NULL OR d.kind = %(kind)s)
ORDER BY d.due, d.order_no, d.submission_id
