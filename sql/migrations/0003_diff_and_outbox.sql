-- What a claim asks of every candidate costs one look-up by index, however much the mirror holds.
-- Written as a function, because over a view of all kinds the planner reads every table for every candidate; an index
-- must serve even before a table was analysed for the first time.
CREATE FUNCTION mirror.holds(kind text, key text) RETURNS boolean
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    CASE kind
        WHEN 'trainer' THEN RETURN EXISTS (SELECT FROM mirror.trainer m WHERE m.key = holds.key AND m.live);
        WHEN 'course_run' THEN RETURN EXISTS (SELECT FROM mirror.course_run m WHERE m.key = holds.key AND m.live);
        WHEN 'session' THEN RETURN EXISTS (SELECT FROM mirror.session m WHERE m.key = holds.key AND m.live);
        WHEN 'enrolment' THEN RETURN EXISTS (SELECT FROM mirror.enrolment m WHERE m.key = holds.key AND m.live);
        WHEN 'fee' THEN RETURN EXISTS (SELECT FROM mirror.fee m WHERE m.key = holds.key AND m.live);
        WHEN 'attendance' THEN RETURN EXISTS (SELECT FROM mirror.attendance m WHERE m.key = holds.key AND m.live);
        WHEN 'assessment' THEN RETURN EXISTS (SELECT FROM mirror.assessment m WHERE m.key = holds.key AND m.live);
        ELSE RETURN false;
    END CASE;
END $$;
COMMENT ON FUNCTION mirror.holds(text, text) IS 'Whether SSG was last seen to hold this record of ours.';
