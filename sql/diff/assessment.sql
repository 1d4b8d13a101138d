-- Assessments of enrolments that stand.
SELECT r.key,
       CASE WHEN NOT r.live THEN 'cancel' WHEN m.key IS NULL THEN 'create' ELSE 'update' END AS action,
       r.ssg_hash AS content_hash,
       array_remove(ARRAY[
           CASE WHEN m.assessment_date IS DISTINCT FROM r.assessment_date THEN 'assessment_date' END,
           CASE WHEN m.result IS DISTINCT FROM r.result THEN 'result' END,
           CASE WHEN m.score IS DISTINCT FROM r.score THEN 'score' END,
           CASE WHEN m.grade IS DISTINCT FROM r.grade THEN 'grade' END], NULL) AS fields,
       ARRAY['enrolment:' || r.run_code || '|' || r.trainee_ref] AS parents,
       m.ssg_ref, r.upload_id, r.sheet, r.row_number, r.run_code
FROM register.assessment r
LEFT JOIN LATERAL (
    SELECT * FROM mirror.assessment m WHERE m.key = r.key AND m.live ORDER BY m.ssg_ref LIMIT 1
) AS m ON true
WHERE (r.live AND m.ssg_hash IS DISTINCT FROM r.ssg_hash
       AND EXISTS (SELECT FROM register.enrolment e
                   WHERE e.key = r.run_code || '|' || r.trainee_ref AND e.live))
   OR (NOT r.live AND m.live)
