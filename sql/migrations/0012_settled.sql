-- What a night need not look at again: runs on which both sides agree, and runs that are over for good
-- (tms_pipeline/settled). Run codes, counts and findings stand here; no personal value.

-- One row a run that a look found: ``agreed`` when register and mirror are at one, ``settled`` when nothing can become
-- due any more either. The counts are the run's live records, so that totals need no second look.
CREATE TABLE finding.looked_run (
    run_code text PRIMARY KEY,
    agreed boolean NOT NULL DEFAULT false,
    settled boolean NOT NULL DEFAULT false,
    course_run bigint NOT NULL DEFAULT 0,
    session bigint NOT NULL DEFAULT 0,
    enrolment bigint NOT NULL DEFAULT 0,
    fee bigint NOT NULL DEFAULT 0,
    attendance bigint NOT NULL DEFAULT 0,
    assessment bigint NOT NULL DEFAULT 0,
    review_id bigint NOT NULL,
    looked_at timestamptz NOT NULL DEFAULT now(),
    CHECK (agreed OR NOT settled)
);
CREATE INDEX looked_run_open ON finding.looked_run (run_code) WHERE NOT settled;

-- Findings of settled runs, once instead of once a night: they belong to every compliance review after ``after_review``
-- and before ``until_review``.
CREATE TABLE finding.settled_deadline (
    after_review bigint NOT NULL,
    until_review bigint,
    rule text NOT NULL,
    kind text NOT NULL,
    run_code text,
    key text,
    trainee_ref text,
    last_day date,
    days_left integer,
    standing text NOT NULL,
    records integer NOT NULL,
    learners integer NOT NULL,
    money numeric(12, 2),
    sentence text NOT NULL,
    what_to_do text NOT NULL
);
CREATE INDEX settled_deadline_run ON finding.settled_deadline (run_code) WHERE until_review IS NULL;
CREATE INDEX settled_deadline_past ON finding.settled_deadline (until_review) WHERE until_review IS NOT NULL;

-- Every finding of a compliance review, those of settled runs too.
CREATE VIEW finding.every_deadline WITH (security_invoker = true) AS
SELECT review_id, rule, kind, run_code, key, trainee_ref, last_day, days_left, standing, records, learners, money,
       sentence, what_to_do, false AS settled
FROM finding.deadline
UNION ALL
SELECT v.review_id, s.rule, s.kind, s.run_code, s.key, s.trainee_ref, s.last_day,
       CASE WHEN s.standing = 'met late' THEN s.days_left ELSE s.last_day - v.as_of END, s.standing, s.records,
       s.learners, s.money, s.sentence, s.what_to_do, true
FROM finding.review v
JOIN finding.settled_deadline s
  ON s.after_review < v.review_id AND (s.until_review IS NULL OR v.review_id < s.until_review)
WHERE v.about = 'compliance';

-- Runs of which a row changed since the last look, written by triggers in the very transaction of the change. Rows are
-- only added, so nobody waits for anybody; a look takes away what its snapshot shows, and with it saw the change.
-- '*': everything.
CREATE TABLE finding.touched_run (
    run_code text NOT NULL,
    touched_at timestamptz NOT NULL DEFAULT now()
);

-- Looks at everything, and by which rules and code.
CREATE TABLE finding.full_look (
    review_id bigint PRIMARY KEY,
    as_of date NOT NULL,
    looked_at timestamptz NOT NULL DEFAULT now(),
    fingerprint text NOT NULL,
    why text NOT NULL
);

-- What a look at everything found where nothing was to be found.
CREATE TABLE finding.overlooked (
    run_code text NOT NULL,
    found_on date NOT NULL,
    stage text NOT NULL CHECK (stage IN ('plan', 'reconciliation', 'agreement', 'compliance')),
    records bigint NOT NULL,
    found_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (run_code, found_on, stage)
);

-- Triggers -------------------------------------------------------------------------------------------------------------
-- One function a table and way of changing it, made here: which runs the changed rows ("changed", and "was" for what an
-- updated row was before) belong to: by the run that they name, by their key, and by the key both sides agreed on.
CREATE FUNCTION finding.touch_all() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO finding.touched_run (run_code) VALUES ('*');
    RETURN NULL;
END $$;

DO $do$
DECLARE
    place text; name text; columns text; runs text; made text; rows text; one text;
BEGIN
    FOREACH place IN ARRAY ARRAY['register', 'mirror'] LOOP
        FOREACH name IN ARRAY ARRAY['course', 'course_run', 'session', 'trainee', 'enrolment', 'fee', 'attendance',
                                    'assessment'] LOOP
            CONTINUE WHEN place = 'mirror' AND name IN ('course', 'trainee');
            made := format('touched_%s_%s', place, name);
            -- The columns that say of which run a row is, and how.
            IF name = 'course' THEN
                columns := 'key';
                runs := 'SELECT r.key AS run FROM register.course_run r WHERE r.course_reference IN (SELECT key FROM %s)';
            ELSIF name = 'trainee' THEN
                columns := 'trainee_ref';
                runs := 'SELECT DISTINCT e.run_code AS run FROM register.enrolment e JOIN %s ON c.trainee_ref = e.trainee_ref';
            ELSIF name = 'course_run' THEN
                columns := CASE place WHEN 'mirror' THEN 'key, agreed_key' ELSE 'key, key AS agreed_key' END;
                runs := 'SELECT DISTINCT run FROM %s, LATERAL (VALUES (c.key), (c.agreed_key)) AS named (run)';
            ELSE
                columns := 'run_code, split_part(key, ''|'', 1) AS by_key, ' || CASE place
                    WHEN 'mirror' THEN 'split_part(agreed_key, ''|'', 1) AS agreed' ELSE 'run_code AS agreed' END;
                runs := 'SELECT DISTINCT run FROM %s, LATERAL (VALUES (c.run_code), (c.by_key), (c.agreed)) AS named (run)';
            END IF;
            FOREACH one IN ARRAY ARRAY['INSERT', 'DELETE', 'UPDATE'] LOOP
                rows := CASE one WHEN 'UPDATE'
                    THEN format('(SELECT %1$s FROM changed UNION SELECT %1$s FROM was) AS c', columns)
                    ELSE format('(SELECT DISTINCT %s FROM changed) AS c', columns) END;
                EXECUTE format(
                    'CREATE FUNCTION finding.%I() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN '
                    'INSERT INTO finding.touched_run (run_code) SELECT run FROM (%s) AS x WHERE run IS NOT NULL; '
                    'RETURN NULL; END $f$', made || '_' || lower(one), format(runs, rows));
                EXECUTE format(
                    'CREATE TRIGGER %I AFTER %s ON %I.%I REFERENCING %s FOR EACH STATEMENT EXECUTE FUNCTION finding.%I()',
                    'touched_' || lower(one), one, place, name,
                    CASE one WHEN 'INSERT' THEN 'NEW TABLE AS changed' WHEN 'DELETE' THEN 'OLD TABLE AS changed'
                             ELSE 'OLD TABLE AS was NEW TABLE AS changed' END,
                    made || '_' || lower(one));
            END LOOP;
            EXECUTE format('CREATE TRIGGER touched_truncate AFTER TRUNCATE ON %I.%I '
                           'FOR EACH STATEMENT EXECUTE FUNCTION finding.touch_all()', place, name);
        END LOOP;
    END LOOP;
END $do$;

-- Rows of a part of the runs are found without reading the rest.
CREATE INDEX mirror_session_run ON mirror.session (run_code);
CREATE INDEX mirror_enrolment_run ON mirror.enrolment (run_code);
CREATE INDEX mirror_fee_run ON mirror.fee (run_code);
CREATE INDEX mirror_assessment_run ON mirror.assessment (run_code);
CREATE INDEX submission_run ON outbox.submission (run_code);
