-- What a session's submission needs: its run as well, whose venue it copies.
SELECT s.*, s.live AND r.live AS wanted, r.course_reference, r.block AS run_block, r.street AS run_street, r.floor AS run_floor, r.unit AS run_unit,
       r.building AS run_building, r.postal_code AS run_postal_code, r.room AS run_room,
       mr.ssg_ref AS ssg_run_id, ms.ssg_ref AS their_ref
FROM register.session s
JOIN register.course_run r ON r.key = s.run_code
LEFT JOIN mirror.course_run mr ON mr.key = s.run_code AND mr.live
LEFT JOIN mirror.session ms ON ms.key = s.key AND ms.live
WHERE s.key = ANY(%(keys)s)
