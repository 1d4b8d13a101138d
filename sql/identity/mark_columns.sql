-- The columns with marks of the mirror's tables and their histories.
SELECT format('%s.%s', c.table_schema, c.table_name), array_agg(c.column_name::text ORDER BY c.ordinal_position)
FROM information_schema.columns c
JOIN information_schema.tables t USING (table_schema, table_name)
WHERE c.table_schema = 'mirror' AND t.table_type = 'BASE TABLE' AND c.column_name LIKE '%_mark' AND c.udt_name = 'bytea'
GROUP BY 1
ORDER BY 1
