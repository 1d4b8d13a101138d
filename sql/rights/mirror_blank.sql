-- The mirror's marks of one trainee go; keys, SSG's references and hashes stay, so that nothing is planned anew.
UPDATE {table} t SET {changes}
WHERE %(ref)s = ANY (string_to_array(t.key, '|')) OR t.{mark} = %(mark)s
