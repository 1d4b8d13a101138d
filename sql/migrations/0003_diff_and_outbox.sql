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

-- A landing row is written together with its table and goes with it. Looking its table up for each of a million rows
-- took longer than writing them, so the table's own end takes them along instead of a foreign key.
ALTER TABLE intake.landing_row DROP CONSTRAINT landing_row_upload_id_table_no_fkey;
CREATE FUNCTION intake.rows_go_with_their_table() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM intake.landing_row WHERE upload_id = OLD.upload_id AND table_no = OLD.table_no;
    RETURN NULL;
END $$;
CREATE TRIGGER rows_go AFTER DELETE ON intake.landing_table
    FOR EACH ROW EXECUTE FUNCTION intake.rows_go_with_their_table();

-- The page of a run, and what a read of one run's sessions replaces, ask for its marks.
CREATE INDEX mirror_attendance_run ON mirror.attendance (run_code);

-- Each submission loads its trainee's particulars by the reference.
CREATE INDEX trainee_ref ON register.trainee (trainee_ref);
