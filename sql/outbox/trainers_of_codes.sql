-- The trainers of a run, by their codes.
SELECT r.key, r.trainer_nric_sealed FROM register.trainer r WHERE r.key = ANY(%(codes)s) ORDER BY r.key
