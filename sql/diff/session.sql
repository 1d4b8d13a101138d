-- Sessions of runs that take place; the sessions of a deleted run go with it.
SELECT r.key,
       CASE WHEN NOT r.live THEN 'cancel' WHEN m.key IS NULL THEN 'create' ELSE 'update' END AS action,
       r.ssg_hash AS content_hash,
       array_remove(ARRAY[
           CASE WHEN m.session_date IS DISTINCT FROM r.session_date THEN 'session_date' END,
           CASE WHEN m.start_time IS DISTINCT FROM r.start_time THEN 'start_time' END,
           CASE WHEN m.end_time IS DISTINCT FROM r.end_time THEN 'end_time' END,
           CASE WHEN m.mode_of_training IS DISTINCT FROM r.mode_of_training THEN 'mode_of_training' END], NULL) AS fields,
       ARRAY['course_run:' || r.run_code] AS parents, m.ssg_ref, r.upload_id, r.sheet, r.row_number, r.run_code
FROM register.session r
JOIN register.course_run c ON c.key = r.run_code AND c.live
LEFT JOIN mirror.session m ON m.key = r.key AND m.live
WHERE r.live AND m.ssg_hash IS DISTINCT FROM r.ssg_hash
   OR NOT r.live AND m.live
