-- By run. A run that the register does not hold agrees with nothing; nor does a cancelled one in which somebody is
-- still enrolled: those enrolments are to be taken back, though both sides hold them.
INSERT INTO looked
SELECT p.run_code,
       NOT bool_or(coalesce(p.odd, true)) AND bool_or(c.key IS NOT NULL)
           AND (bool_or(c.live) OR sum(p.records) FILTER (WHERE p.kind = 'enrolment') IS NOT DISTINCT FROM 0
                OR NOT bool_or(p.kind = 'enrolment')),
       coalesce(sum(p.records) FILTER (WHERE p.kind = 'course_run'), 0),
       coalesce(sum(p.records) FILTER (WHERE p.kind = 'session'), 0),
       coalesce(sum(p.records) FILTER (WHERE p.kind = 'enrolment'), 0),
       coalesce(sum(p.records) FILTER (WHERE p.kind = 'fee'), 0),
       coalesce(sum(p.records) FILTER (WHERE p.kind = 'attendance'), 0),
       coalesce(sum(p.records) FILTER (WHERE p.kind = 'assessment'), 0)
FROM looked_part p
LEFT JOIN register.course_run c ON c.key = p.run_code
GROUP BY p.run_code
