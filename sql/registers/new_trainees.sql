-- A trainee reference for every mark that has none, in the order of the rows.
INSERT INTO identity.trainee (trainee_ref, nric_mark)
SELECT 'HB-' || lpad(nextval('identity.trainee_number')::text, 5, '0'), fresh.nric_mark
FROM (
    SELECT m.nric_mark, min(m.line) AS first_line
    FROM seen_mark m
    WHERE NOT EXISTS (SELECT FROM identity.trainee t WHERE t.nric_mark = m.nric_mark)
    GROUP BY m.nric_mark
    ORDER BY 2
) AS fresh
ON CONFLICT (nric_mark) DO NOTHING
