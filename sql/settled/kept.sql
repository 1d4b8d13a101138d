-- How many runs are left out, with their live records by kind: of those on which both sides agree, and of those that
-- are settled.
SELECT 'agreed', count(*), coalesce(sum(course_run), 0)::bigint, coalesce(sum(session), 0)::bigint,
       coalesce(sum(enrolment), 0)::bigint, coalesce(sum(fee), 0)::bigint, coalesce(sum(attendance), 0)::bigint,
       coalesce(sum(assessment), 0)::bigint
FROM finding.looked_run WHERE agreed AND NOT run_code = ANY(%(differing)s)
UNION ALL
SELECT 'settled', count(*), coalesce(sum(course_run), 0)::bigint, coalesce(sum(session), 0)::bigint,
       coalesce(sum(enrolment), 0)::bigint, coalesce(sum(fee), 0)::bigint, coalesce(sum(attendance), 0)::bigint,
       coalesce(sum(assessment), 0)::bigint
FROM finding.looked_run WHERE settled AND NOT run_code = ANY(%(runs)s)
