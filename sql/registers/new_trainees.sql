-- A trainee reference for every mark that has none, in the order of the rows.
INSERT INTO identity.trainee (trainee_ref, nric_mark)
-- The hundred-thousandth has a digit more: none is cut.
SELECT 'HB-' || lpad(number, greatest(5, length(number)), '0'), nric_mark
FROM (
    SELECT nextval('identity.trainee_number')::text AS number, fresh.nric_mark
    FROM (
        SELECT m.nric_mark, min(m.line) AS first_line
        FROM seen_mark m
        WHERE NOT EXISTS (SELECT FROM identity.trainee t WHERE t.nric_mark = m.nric_mark)
        GROUP BY m.nric_mark
        ORDER BY 2
    ) AS fresh
) AS numbered
ON CONFLICT (nric_mark) DO NOTHING
