-- What is to be done about these records, of which it is known that both sides differ.
SELECT d.* FROM ({diff}) AS d WHERE d.key = ANY(%(keys)s)
