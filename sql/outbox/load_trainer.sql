-- What a trainer's submission needs.
SELECT r.*, r.live AS wanted, m.ssg_ref AS their_ref
FROM register.trainer r
LEFT JOIN mirror.trainer m ON m.key = r.key AND m.live
WHERE r.key = ANY(%(keys)s)
