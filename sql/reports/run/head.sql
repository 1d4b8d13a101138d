-- One course run with its course and what SSG holds of it.
SELECT r.key, coalesce(c.course_title, ''), r.course_reference, c.provider_type, c.funding_body, c.full_course_fee,
       c.minimum_assessments, r.registration_open, r.registration_close, r.start_date, r.end_date, r.mode_of_training,
       r.schedule_info, r.intake_size, r.threshold, coalesce(r.trainer_codes, ''), r.live, r.upload_id, r.sheet,
       r.row_number, m.ssg_ref, m.live, m.created_on, m.first_seen_at
FROM register.course_run r
LEFT JOIN register.course c ON c.key = r.course_reference
LEFT JOIN (SELECT DISTINCT ON (key) key, ssg_ref, live, created_on, first_seen_at
           FROM mirror.course_run WHERE key = %(run)s ORDER BY key, live DESC, ssg_ref) m ON m.key = r.key
WHERE r.key = %(run)s
