-- Only enrolments can be put elsewhere.
SELECT NULL::text AS ssg_ref, NULL::text AS place, NULL::timestamptz AS since WHERE false
