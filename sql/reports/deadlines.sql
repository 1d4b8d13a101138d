-- Compliance findings of a review, of one run, of the runs that are not settled or of all, with their course, in the order in which a person should look at them.
SELECT d.standing, d.rule, d.kind, d.run_code, coalesce(c.course_title, '') AS course_title, d.trainee_ref,
       d.last_day, d.days_left, d.records, d.money, d.sentence, d.what_to_do
FROM finding.every_deadline d
LEFT JOIN register.course_run r ON r.key = d.run_code
LEFT JOIN register.course c ON c.key = r.course_reference
WHERE d.review_id = %(review_id)s AND (%(open)s::text[] IS NULL OR d.run_code = ANY(%(open)s) OR d.rule = 'full-look') AND (%(run)s::text IS NULL OR d.run_code = %(run)s)
ORDER BY array_position(ARRAY['missed', 'near', 'breach', 'warning', 'met late'], d.standing),
         d.last_day NULLS LAST, d.run_code, d.rule, d.key
