-- The balance of an upload from its landing rows.
UPDATE intake.upload u
SET accepted = c.accepted, unchanged = c.unchanged, rejected = c.rejected, superseded = c.superseded,
    sentence = c.accepted || ' of ' || u.rows || ' rows were taken in, '
               || c.rejected || ' need fixing (looked at again when more came in).'
FROM (
    SELECT count(*) FILTER (WHERE status = 'accepted') AS accepted,
           count(*) FILTER (WHERE status = 'unchanged') AS unchanged,
           count(*) FILTER (WHERE status = 'rejected') AS rejected,
           count(*) FILTER (WHERE status = 'superseded') AS superseded
    FROM intake.landing_row
    WHERE upload_id = %(upload_id)s
) AS c
WHERE u.upload_id = %(upload_id)s
