-- Live enrolments that lack a contact field. Only whether a value is there is asked, never the value.
-- What was taken out by right is not missing: all of who was shredded, e-mail and phone of who withdrew the consent.
WITH withdrawn AS MATERIALIZED (
    SELECT trainee_ref FROM rights.withdrawal
    WHERE purpose = 'contact' AND effective_at IS NOT NULL AND given_again_at IS NULL
)
SELECT run_code, trainee_ref, key, missing
FROM (
    SELECT e.run_code, e.trainee_ref, e.key,
           array_remove(ARRAY[
               CASE WHEN t.email_mark IS NULL AND w.trainee_ref IS NULL THEN 'e-mail' END,
               CASE WHEN t.phone_mark IS NULL AND w.trainee_ref IS NULL THEN 'phone' END,
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
    LEFT JOIN withdrawn w ON w.trainee_ref = e.trainee_ref
    WHERE e.live
      AND (t.email_mark IS NULL OR t.phone_mark IS NULL
           OR (e.sponsorship_type = 'EMPLOYER'
               AND (coalesce(e.employer_uen, '') = '' OR e.employer_contact_name_mark IS NULL
                    OR e.employer_contact_email_mark IS NULL OR e.employer_contact_phone_mark IS NULL)))
      AND NOT EXISTS (SELECT FROM rights.shredded x WHERE x.trainee_ref = e.trainee_ref)
) AS lacking
WHERE cardinality(missing) > 0
ORDER BY run_code, trainee_ref
