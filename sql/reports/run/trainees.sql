-- The trainees of one run: enrolment, fee, attendance and assessments, ours and at SSG. Marks of a session that is
-- cancelled count no more than they do for the rate of attendance.
SELECT e.trainee_ref, e.live, e.sponsorship_type, m.ssg_ref, f.collection_status, f.amount_collected,
       p.collection_status, coalesce(a.marked, 0), coalesce(a.attended, 0), coalesce(t.there, 0),
       coalesce(x.results, ''), coalesce(x.assessments, 0), coalesce(y.refs, '')
FROM register.enrolment e
LEFT JOIN (SELECT key, string_agg(ssg_ref, ', ' ORDER BY ssg_ref) AS ssg_ref FROM mirror.enrolment
           WHERE live AND key IN (SELECT key FROM register.enrolment WHERE run_code = %(run)s)
           GROUP BY key) m ON m.key = e.key
LEFT JOIN register.fee f ON f.key = e.key AND f.live
LEFT JOIN (SELECT key, min(collection_status) AS collection_status FROM mirror.fee
           WHERE live AND key IN (SELECT key FROM register.enrolment WHERE run_code = %(run)s)
           GROUP BY key) p ON p.key = e.key
LEFT JOIN (SELECT trainee_ref, count(*) AS marked, count(*) FILTER (WHERE mark IN ('present', 'late')) AS attended
           FROM register.attendance a
           WHERE run_code = %(run)s AND EXISTS (SELECT FROM register.session s WHERE s.run_code = a.run_code
                                                AND s.session_no = a.session_no AND s.live)
           GROUP BY trainee_ref) a ON a.trainee_ref = e.trainee_ref
LEFT JOIN (SELECT a.trainee_ref, count(*) AS there FROM register.attendance a
           WHERE a.run_code = %(run)s AND EXISTS (SELECT FROM mirror.attendance m WHERE m.key = a.key AND m.live)
           GROUP BY a.trainee_ref) t
       ON t.trainee_ref = e.trainee_ref
LEFT JOIN (SELECT trainee_ref, count(*) AS assessments,
                  string_agg(concat_ws(' ', nullif(skill_code, ''), result, to_char(assessment_date, '"on" FMDD Mon YYYY')), '; '
                             ORDER BY assessment_date, key) AS results
           FROM register.assessment WHERE live AND run_code = %(run)s GROUP BY trainee_ref) x
       ON x.trainee_ref = e.trainee_ref
LEFT JOIN (SELECT a.trainee_ref, string_agg(m.ssg_ref, ', ' ORDER BY m.ssg_ref) AS refs
           FROM register.assessment a
           JOIN mirror.assessment m ON m.key = a.key AND m.live
           WHERE a.run_code = %(run)s GROUP BY a.trainee_ref) y
       ON y.trainee_ref = e.trainee_ref
WHERE e.run_code = %(run)s
ORDER BY e.trainee_ref
