-- Live enrolments that lack a contact field. Only whether a value is there is asked, never the value.
SELECT e.run_code, e.trainee_ref, e.key,
       array_remove(ARRAY[
           CASE WHEN t.email_mark IS NULL THEN 'e-mail' END,
           CASE WHEN t.phone_mark IS NULL THEN 'phone' END,
           CASE WHEN e.sponsorship_type = 'EMPLOYER' AND coalesce(e.employer_uen, '') = '' THEN 'employer UEN' END,
           CASE WHEN e.sponsorship_type = 'EMPLOYER' AND e.employer_contact_name_mark IS NULL
                THEN 'employer contact name' END,
           CASE WHEN e.sponsorship_type = 'EMPLOYER' AND e.employer_contact_email_mark IS NULL
                THEN 'employer contact e-mail' END,
           CASE WHEN e.sponsorship_type = 'EMPLOYER' AND e.employer_contact_phone_mark IS NULL
                THEN 'employer contact phone' END
       ], NULL) AS missing
FROM register.enrolment e
JOIN register.course_run r ON r.key = e.run_code AND r.live
LEFT JOIN register.trainee t ON t.trainee_ref = e.trainee_ref AND t.live
WHERE e.live
  AND (t.email_mark IS NULL OR t.phone_mark IS NULL
       OR (e.sponsorship_type = 'EMPLOYER'
           AND (coalesce(e.employer_uen, '') = '' OR e.employer_contact_name_mark IS NULL
                OR e.employer_contact_email_mark IS NULL OR e.employer_contact_phone_mark IS NULL)))
ORDER BY e.run_code, e.trainee_ref
