-- What each candidate row would do to the register: new, changed or unchanged.
SELECT c.line,
       CASE WHEN r.key IS NULL THEN 'new'
            WHEN r.row_hash = c.row_hash THEN 'unchanged'
            ELSE 'changed' END
FROM candidate c
LEFT JOIN {register} r ON r.key = c.key
