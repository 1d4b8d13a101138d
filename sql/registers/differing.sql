-- The lines of what is new and of what differs, each as one value of four bytes a line.
SELECT is_new, string_agg(int4send(line), ''::bytea)
FROM {differing}
GROUP BY is_new
