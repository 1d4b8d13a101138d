-- What an enrolment's submission needs: the trainee's particulars and the fee status go with it.
SELECT e.*, e.live AND r.live AS wanted, r.course_reference, mr.ssg_ref AS ssg_run_id, me.ssg_ref AS their_ref,
       t.nric_sealed, t.full_name_sealed, t.full_name_mark, t.birth_date_sealed, t.birth_date_mark, t.email_sealed,
       t.email_mark, t.phone_sealed, t.phone_mark, t.phone_country, t.own_hash AS trainee_hash,
       coalesce(f.collection_status, 'Pending Payment') AS collection_status,
       sha256(e.ssg_hash || convert_to(coalesce(f.collection_status, 'Pending Payment'), 'UTF8')) AS create_hash
FROM register.enrolment e
JOIN register.course_run r ON r.key = e.run_code
JOIN register.trainee t ON t.trainee_ref = e.trainee_ref
LEFT JOIN register.fee f ON f.key = e.key
LEFT JOIN mirror.course_run mr ON mr.key = e.run_code AND mr.live
LEFT JOIN LATERAL (
    SELECT ssg_ref FROM mirror.enrolment WHERE key = e.key AND live ORDER BY ssg_ref LIMIT 1
) AS me ON true
WHERE e.key = ANY(%(keys)s)
