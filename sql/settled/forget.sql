-- A run of which neither side holds anything any more.
DELETE FROM finding.looked_run l
USING looked k
WHERE k.run_code = l.run_code AND NOT k.agreed
  AND k.course_run + k.session + k.enrolment + k.fee + k.attendance + k.assessment = 0
  AND NOT EXISTS (SELECT FROM looked_part p WHERE p.run_code = l.run_code AND coalesce(p.odd, true))
  AND NOT EXISTS (SELECT FROM register.course_run c WHERE c.key = l.run_code)
