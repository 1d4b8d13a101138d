-- What a look finds, by run and kind; and by run.
CREATE TEMP TABLE looked_part (run_code text, kind text, records bigint, odd boolean) ON COMMIT DROP;
CREATE TEMP TABLE looked (
    run_code text, agreed boolean, course_run bigint, session bigint, enrolment bigint, fee bigint, attendance bigint,
    assessment bigint
) ON COMMIT DROP
