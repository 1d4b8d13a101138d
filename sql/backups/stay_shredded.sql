-- Somebody whom the restored dump knows was shredded after it was made.
INSERT INTO rights.shredded (trainee_ref, certificate_id, rule)
SELECT trainee_ref, %(certificate)s, %(rule)s FROM identity.trainee WHERE trainee_ref = %(ref)s
ON CONFLICT (trainee_ref) DO UPDATE SET certificate_id = excluded.certificate_id, rule = excluded.rule
WHERE excluded.rule <> 'restore'
