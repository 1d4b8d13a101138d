-- The trainees whose data keys were shredded and whose rows a restored dump may have brought back.
SELECT substr(k.subject, 9) AS trainee_ref
FROM identity.data_key k
JOIN identity.trainee t ON t.trainee_ref = substr(k.subject, 9)
WHERE k.subject LIKE 'trainee:%' AND k.wrapped IS NULL
ORDER BY 1
