-- What a fee's submission needs: the reference of its enrolment.
SELECT f.*, true AS wanted, me.ssg_ref AS their_ref
FROM register.fee f
LEFT JOIN mirror.fee me ON me.key = f.key AND me.live
WHERE f.key = ANY(%(keys)s)
