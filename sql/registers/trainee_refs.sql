-- The trainee references of the marks in seen_mark.
SELECT m.line, t.trainee_ref
FROM seen_mark m
JOIN identity.trainee t ON t.nric_mark = m.nric_mark
