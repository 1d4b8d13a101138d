-- Encoding, collation, character classes, and who provides them; the name of the locale by any release from 15 on.
SELECT pg_encoding_to_char(d.encoding), d.datcollate, d.datctype, d.datlocprovider::text,
       coalesce(to_jsonb(d)->>'datlocale', to_jsonb(d)->>'daticulocale')
FROM pg_database d WHERE d.datname = %(database)s
