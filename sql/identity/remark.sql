-- Every mark of a table becomes its follower. A mark of a value that only SSG holds has none and becomes one that equals
-- nothing of ours, as before; equal ones stay equal.
UPDATE {table} t SET {changes} WHERE {any_mark}
