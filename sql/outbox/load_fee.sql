-- What a fee's submission needs: the reference of its enrolment.
SELECT f.*, true AS wanted, me.ssg_ref AS their_ref
FROM register.fee f
LEFT JOIN LATERAL (
    SELECT ssg_ref FROM mirror.fee WHERE key = f.key AND live ORDER BY ssg_ref LIMIT 1
) AS me ON true
WHERE f.key = ANY(%(keys)s)
