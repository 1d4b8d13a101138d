-- The first frame: identity, intake, registers with history, mirror, outbox, findings, audit.
-- Personal values stand only in *_sealed columns (AES-256-GCM); *_mark columns are keyed HMACs for joins and comparison.

CREATE SCHEMA identity;
CREATE SCHEMA intake;
CREATE SCHEMA register;
CREATE SCHEMA mirror;
CREATE SCHEMA outbox;
CREATE SCHEMA ssg;
CREATE SCHEMA finding;
CREATE SCHEMA audit;

-- identity ------------------------------------------------------------------------------------------------------------
CREATE TABLE identity.trainee (
    trainee_ref text PRIMARY KEY,
    nric_mark bytea NOT NULL UNIQUE,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE SEQUENCE identity.trainee_number;

-- One data key a subject (a trainee, a trainer, an upload), wrapped by the key ring that lies outside Postgres.
CREATE TABLE identity.data_key (
    subject text PRIMARY KEY,
    wrapped bytea,
    ring_version integer NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    shredded_at timestamptz,
    CHECK ((wrapped IS NULL) = (shredded_at IS NOT NULL))
);

-- intake --------------------------------------------------------------------------------------------------------------
CREATE TABLE intake.upload (
    upload_id text PRIMARY KEY,
    sha256 text NOT NULL UNIQUE,
    file_name text NOT NULL,
    source text NOT NULL DEFAULT 'inbox',
    received_at timestamptz NOT NULL,
    received_by text NOT NULL,
    bytes bigint NOT NULL,
    state text NOT NULL CHECK (state IN ('received', 'taken in', 'held', 'refused', 'undone')),
    sentence text NOT NULL DEFAULT '',
    kinds text[] NOT NULL DEFAULT '{}',
    rows integer NOT NULL DEFAULT 0,
    accepted integer NOT NULL DEFAULT 0,
    unchanged integer NOT NULL DEFAULT 0,
    rejected integer NOT NULL DEFAULT 0,
    superseded integer NOT NULL DEFAULT 0,
    warnings integer NOT NULL DEFAULT 0,
    attempt integer NOT NULL DEFAULT 1,
    correlation_id text NOT NULL,
    archive_name text,
    result_path text,
    released_by text,
    finished_at timestamptz,
    CHECK (state <> 'taken in' OR rows = accepted + unchanged + rejected + superseded)
);
CREATE INDEX upload_received ON intake.upload (received_at);

CREATE TABLE intake.landing_table (
    upload_id text NOT NULL REFERENCES intake.upload ON DELETE CASCADE,
    table_no integer NOT NULL,
    sheet text NOT NULL,
    header_row integer NOT NULL,
    headings jsonb NOT NULL,
    titles jsonb NOT NULL,
    kinds text[] NOT NULL,
    mapping text,
    PRIMARY KEY (upload_id, table_no)
);

CREATE TABLE intake.landing_row (
    upload_id text NOT NULL,
    table_no integer NOT NULL,
    row_number integer NOT NULL,
    status text NOT NULL CHECK (status IN ('accepted', 'unchanged', 'rejected', 'superseded')),
    waiting boolean NOT NULL DEFAULT false,
    note text NOT NULL DEFAULT '',
    PRIMARY KEY (upload_id, table_no, row_number),
    FOREIGN KEY (upload_id, table_no) REFERENCES intake.landing_table ON DELETE CASCADE
);
-- The cells as they were typed, sealed in blocks of rows, column by column.
CREATE TABLE intake.landing_block (
    upload_id text NOT NULL,
    table_no integer NOT NULL,
    block_no integer NOT NULL,
    rows_sealed bytea NOT NULL,
    PRIMARY KEY (upload_id, table_no, block_no),
    FOREIGN KEY (upload_id, table_no) REFERENCES intake.landing_table ON DELETE CASCADE
);
CREATE INDEX landing_row_waiting ON intake.landing_row (upload_id) WHERE waiting;

CREATE TABLE intake.rejection (
    rejection_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    upload_id text NOT NULL REFERENCES intake.upload ON DELETE CASCADE,
    sheet text,
    row_number integer,
    column_title text,
    code text NOT NULL,
    severity text NOT NULL CHECK (severity IN ('error', 'warning')),
    sentence text NOT NULL,
    fix text NOT NULL
);
CREATE INDEX rejection_upload ON intake.rejection (upload_id);

-- registers and mirror ------------------------------------------------------------------------------------------------
CREATE TABLE register.course (
    key text PRIMARY KEY,
    course_reference text,
    course_title text,
    skill_code text,
    full_course_fee numeric(12,2),
    duration_hours numeric(6,1),
    provider_type text,
    funding_body text,
    minimum_assessments integer,
    live boolean NOT NULL DEFAULT true,
    row_hash bytea NOT NULL,
    own_hash bytea NOT NULL,
    ssg_hash bytea NOT NULL,
    upload_id text NOT NULL,
    sheet text NOT NULL,
    row_number integer NOT NULL,
    version integer NOT NULL DEFAULT 1,
    valid_from timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE register.course_history (LIKE register.course, valid_to timestamptz NOT NULL, PRIMARY KEY (key, version));

CREATE TABLE mirror.course (
    ssg_ref text PRIMARY KEY,
    key text,
    course_reference text,
    course_title text,
    live boolean NOT NULL,
    ssg_status text,
    own_hash bytea NOT NULL,
    ssg_hash bytea NOT NULL,
    created_on timestamptz,
    updated_on timestamptz,
    seen_at timestamptz NOT NULL DEFAULT now(),
    seen_how text NOT NULL CHECK (seen_how IN ('read', 'write')),
    read_id bigint,
    first_seen_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX course_key ON mirror.course (key);

CREATE TABLE register.trainer (
    key text PRIMARY KEY,
    trainer_code text,
    trainer_name_sealed bytea,
    trainer_name_mark bytea,
    trainer_nric_sealed bytea,
    trainer_nric_mark bytea,
    trainer_email_sealed bytea,
    trainer_email_mark bytea,
    salutation text,
    trainer_role text,
    domain text,
    experience text,
    live boolean NOT NULL DEFAULT true,
    row_hash bytea NOT NULL,
    own_hash bytea NOT NULL,
    ssg_hash bytea NOT NULL,
    upload_id text NOT NULL,
    sheet text NOT NULL,
    row_number integer NOT NULL,
    version integer NOT NULL DEFAULT 1,
    valid_from timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE register.trainer_history (LIKE register.trainer, valid_to timestamptz NOT NULL, PRIMARY KEY (key, version));

CREATE TABLE mirror.trainer (
    ssg_ref text PRIMARY KEY,
    key text,
    nric_tail_mark bytea,
    trainer_name_mark bytea,
    trainer_email_mark bytea,
    trainer_role text,
    domain text,
    experience text,
    live boolean NOT NULL,
    ssg_status text,
    own_hash bytea NOT NULL,
    ssg_hash bytea NOT NULL,
    created_on timestamptz,
    updated_on timestamptz,
    seen_at timestamptz NOT NULL DEFAULT now(),
    seen_how text NOT NULL CHECK (seen_how IN ('read', 'write')),
    read_id bigint,
    first_seen_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX trainer_key ON mirror.trainer (key);

CREATE TABLE register.course_run (
    key text PRIMARY KEY,
    run_code text,
    course_reference text,
    registration_open date,
    registration_close date,
    start_date date,
    end_date date,
    schedule_info text,
    mode_of_training text,
    block text,
    street text,
    floor text,
    unit text,
    building text,
    postal_code text,
    room text,
    wheelchair_access boolean,
    intake_size integer,
    threshold integer,
    admin_email text,
    vacancy text,
    trainer_codes text,
    run_status text,
    live boolean NOT NULL DEFAULT true,
    row_hash bytea NOT NULL,
    own_hash bytea NOT NULL,
    ssg_hash bytea NOT NULL,
    upload_id text NOT NULL,
    sheet text NOT NULL,
    row_number integer NOT NULL,
    version integer NOT NULL DEFAULT 1,
    valid_from timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE register.course_run_history (LIKE register.course_run, valid_to timestamptz NOT NULL, PRIMARY KEY (key, version));

CREATE TABLE mirror.course_run (
    ssg_ref text PRIMARY KEY,
    key text,
    course_reference text,
    registration_open date,
    registration_close date,
    start_date date,
    end_date date,
    schedule_info text,
    mode_of_training text,
    block text,
    street text,
    floor text,
    unit text,
    building text,
    postal_code text,
    room text,
    wheelchair_access boolean,
    intake_size integer,
    threshold integer,
    admin_email text,
    vacancy text,
    trainer_codes text,
    live boolean NOT NULL,
    ssg_status text,
    own_hash bytea NOT NULL,
    ssg_hash bytea NOT NULL,
    created_on timestamptz,
    updated_on timestamptz,
    seen_at timestamptz NOT NULL DEFAULT now(),
    seen_how text NOT NULL CHECK (seen_how IN ('read', 'write')),
    read_id bigint,
    first_seen_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX course_run_key ON mirror.course_run (key);

CREATE TABLE register.session (
    key text PRIMARY KEY,
    run_code text,
    session_no integer,
    session_date date,
    start_time time,
    end_time time,
    mode_of_training text,
    session_status text,
    live boolean NOT NULL DEFAULT true,
    row_hash bytea NOT NULL,
    own_hash bytea NOT NULL,
    ssg_hash bytea NOT NULL,
    upload_id text NOT NULL,
    sheet text NOT NULL,
    row_number integer NOT NULL,
    version integer NOT NULL DEFAULT 1,
    valid_from timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE register.session_history (LIKE register.session, valid_to timestamptz NOT NULL, PRIMARY KEY (key, version));

CREATE INDEX session_run ON register.session (run_code);

CREATE TABLE mirror.session (
    ssg_ref text PRIMARY KEY,
    key text,
    ssg_run_id text NOT NULL,
    run_code text,
    session_date date,
    start_time time,
    end_time time,
    mode_of_training text,
    live boolean NOT NULL,
    ssg_status text,
    own_hash bytea NOT NULL,
    ssg_hash bytea NOT NULL,
    created_on timestamptz,
    updated_on timestamptz,
    seen_at timestamptz NOT NULL DEFAULT now(),
    seen_how text NOT NULL CHECK (seen_how IN ('read', 'write')),
    read_id bigint,
    first_seen_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX session_key ON mirror.session (key);

CREATE TABLE register.trainee (
    key text PRIMARY KEY,
    trainee_ref text NOT NULL REFERENCES identity.trainee,
    nric_sealed bytea NOT NULL,
    full_name_sealed bytea,
    full_name_mark bytea,
    birth_date_sealed bytea,
    birth_date_mark bytea,
    email_sealed bytea,
    email_mark bytea,
    phone_sealed bytea,
    phone_mark bytea,
    phone_country text,
    residency text,
    survey_language text,
    live boolean NOT NULL DEFAULT true,
    row_hash bytea NOT NULL,
    own_hash bytea NOT NULL,
    ssg_hash bytea NOT NULL,
    upload_id text NOT NULL,
    sheet text NOT NULL,
    row_number integer NOT NULL,
    version integer NOT NULL DEFAULT 1,
    valid_from timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE register.trainee_history (LIKE register.trainee, valid_to timestamptz NOT NULL, PRIMARY KEY (key, version));

CREATE TABLE register.enrolment (
    key text PRIMARY KEY,
    trainee_ref text NOT NULL REFERENCES identity.trainee,
    run_code text,
    enrolment_date date,
    sponsorship_type text,
    employer_uen text,
    employer_contact_name_sealed bytea,
    employer_contact_name_mark bytea,
    employer_contact_email_sealed bytea,
    employer_contact_email_mark bytea,
    employer_contact_phone_sealed bytea,
    employer_contact_phone_mark bytea,
    discount_amount numeric(12,2),
    enrolment_status text,
    live boolean NOT NULL DEFAULT true,
    row_hash bytea NOT NULL,
    own_hash bytea NOT NULL,
    ssg_hash bytea NOT NULL,
    upload_id text NOT NULL,
    sheet text NOT NULL,
    row_number integer NOT NULL,
    version integer NOT NULL DEFAULT 1,
    valid_from timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE register.enrolment_history (LIKE register.enrolment, valid_to timestamptz NOT NULL, PRIMARY KEY (key, version));

CREATE INDEX enrolment_run ON register.enrolment (run_code);

CREATE INDEX enrolment_trainee ON register.enrolment (trainee_ref);

CREATE TABLE mirror.enrolment (
    ssg_ref text PRIMARY KEY,
    key text,
    ssg_run_id text,
    course_reference text,
    run_code text,
    trainee_ref text,
    nric_mark bytea,
    enrolment_date date,
    sponsorship_type text,
    employer_uen text,
    employer_contact_name_mark bytea,
    employer_contact_email_mark bytea,
    employer_contact_phone_mark bytea,
    discount_amount numeric(12,2),
    full_name_mark bytea,
    birth_date_mark bytea,
    email_mark bytea,
    phone_mark bytea,
    phone_country text,
    live boolean NOT NULL,
    ssg_status text,
    own_hash bytea NOT NULL,
    ssg_hash bytea NOT NULL,
    created_on timestamptz,
    updated_on timestamptz,
    seen_at timestamptz NOT NULL DEFAULT now(),
    seen_how text NOT NULL CHECK (seen_how IN ('read', 'write')),
    read_id bigint,
    first_seen_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX enrolment_key ON mirror.enrolment (key);

CREATE TABLE register.fee (
    key text PRIMARY KEY,
    trainee_ref text NOT NULL REFERENCES identity.trainee,
    run_code text,
    collection_status text,
    amount_collected numeric(12,2),
    collected_on date,
    receipt_no text,
    live boolean NOT NULL DEFAULT true,
    row_hash bytea NOT NULL,
    own_hash bytea NOT NULL,
    ssg_hash bytea NOT NULL,
    upload_id text NOT NULL,
    sheet text NOT NULL,
    row_number integer NOT NULL,
    version integer NOT NULL DEFAULT 1,
    valid_from timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE register.fee_history (LIKE register.fee, valid_to timestamptz NOT NULL, PRIMARY KEY (key, version));

CREATE INDEX fee_run ON register.fee (run_code);

CREATE INDEX fee_trainee ON register.fee (trainee_ref);

CREATE TABLE mirror.fee (
    ssg_ref text PRIMARY KEY,
    key text,
    run_code text,
    trainee_ref text,
    collection_status text,
    live boolean NOT NULL,
    ssg_status text,
    own_hash bytea NOT NULL,
    ssg_hash bytea NOT NULL,
    created_on timestamptz,
    updated_on timestamptz,
    seen_at timestamptz NOT NULL DEFAULT now(),
    seen_how text NOT NULL CHECK (seen_how IN ('read', 'write')),
    read_id bigint,
    first_seen_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX fee_key ON mirror.fee (key);

CREATE TABLE register.attendance (
    key text PRIMARY KEY,
    trainee_ref text NOT NULL REFERENCES identity.trainee,
    run_code text,
    session_no integer,
    mark text,
    hours numeric(6,1),
    marked_at timestamp,
    live boolean NOT NULL DEFAULT true,
    row_hash bytea NOT NULL,
    own_hash bytea NOT NULL,
    ssg_hash bytea NOT NULL,
    upload_id text NOT NULL,
    sheet text NOT NULL,
    row_number integer NOT NULL,
    version integer NOT NULL DEFAULT 1,
    valid_from timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE register.attendance_history (LIKE register.attendance, valid_to timestamptz NOT NULL, PRIMARY KEY (key, version));

CREATE INDEX attendance_run ON register.attendance (run_code);

CREATE INDEX attendance_trainee ON register.attendance (trainee_ref);

CREATE TABLE mirror.attendance (
    ssg_ref text PRIMARY KEY,
    key text,
    ssg_session_id text NOT NULL,
    ssg_run_id text,
    run_code text,
    session_no integer,
    trainee_ref text,
    nric_mark bytea,
    ssg_attendance_id text,
    entry_mode text,
    hours numeric(6,1),
    status_code text,
    live boolean NOT NULL,
    ssg_status text,
    own_hash bytea NOT NULL,
    ssg_hash bytea NOT NULL,
    created_on timestamptz,
    updated_on timestamptz,
    seen_at timestamptz NOT NULL DEFAULT now(),
    seen_how text NOT NULL CHECK (seen_how IN ('read', 'write')),
    read_id bigint,
    first_seen_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX attendance_key ON mirror.attendance (key);

CREATE TABLE register.assessment (
    key text PRIMARY KEY,
    trainee_ref text NOT NULL REFERENCES identity.trainee,
    run_code text,
    skill_code text,
    assessment_date date,
    result text,
    score integer,
    grade text,
    assessor_code text,
    assessment_status text,
    live boolean NOT NULL DEFAULT true,
    row_hash bytea NOT NULL,
    own_hash bytea NOT NULL,
    ssg_hash bytea NOT NULL,
    upload_id text NOT NULL,
    sheet text NOT NULL,
    row_number integer NOT NULL,
    version integer NOT NULL DEFAULT 1,
    valid_from timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE register.assessment_history (LIKE register.assessment, valid_to timestamptz NOT NULL, PRIMARY KEY (key, version));

CREATE INDEX assessment_run ON register.assessment (run_code);

CREATE INDEX assessment_trainee ON register.assessment (trainee_ref);

CREATE TABLE mirror.assessment (
    ssg_ref text PRIMARY KEY,
    key text,
    ssg_run_id text,
    run_code text,
    trainee_ref text,
    nric_mark bytea,
    skill_code text,
    enrolment_reference text,
    assessment_date date,
    result text,
    score integer,
    grade text,
    live boolean NOT NULL,
    ssg_status text,
    own_hash bytea NOT NULL,
    ssg_hash bytea NOT NULL,
    created_on timestamptz,
    updated_on timestamptz,
    seen_at timestamptz NOT NULL DEFAULT now(),
    seen_how text NOT NULL CHECK (seen_how IN ('read', 'write')),
    read_id bigint,
    first_seen_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX assessment_key ON mirror.assessment (key);

CREATE TABLE mirror.read (
    read_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL,
    scope text NOT NULL,
    started_at timestamptz NOT NULL,
    finished_at timestamptz,
    state text NOT NULL CHECK (state IN ('reading', 'read', 'not read')),
    records integer NOT NULL DEFAULT 0,
    calls integer NOT NULL DEFAULT 0,
    error_code text,
    sentence text
);
CREATE INDEX read_kind ON mirror.read (kind, scope, read_id);

-- What lives at SSG, for the order of submissions: a child waits until its parents are here.
CREATE VIEW mirror.live AS
          SELECT 'trainer' AS kind, key, ssg_ref FROM mirror.trainer WHERE live AND key IS NOT NULL
UNION ALL SELECT 'course_run', key, ssg_ref FROM mirror.course_run WHERE live AND key IS NOT NULL
UNION ALL SELECT 'session', key, ssg_ref FROM mirror.session WHERE live AND key IS NOT NULL
UNION ALL SELECT 'enrolment', key, ssg_ref FROM mirror.enrolment WHERE live AND key IS NOT NULL
UNION ALL SELECT 'fee', key, ssg_ref FROM mirror.fee WHERE live AND key IS NOT NULL
UNION ALL SELECT 'attendance', key, ssg_ref FROM mirror.attendance WHERE live AND key IS NOT NULL
UNION ALL SELECT 'assessment', key, ssg_ref FROM mirror.assessment WHERE live AND key IS NOT NULL;

-- outbox --------------------------------------------------------------------------------------------------------------
CREATE TABLE outbox.plan (
    plan_id text PRIMARY KEY,
    plan_hash text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    correlation_id text NOT NULL,
    changes integer NOT NULL,
    withheld integer NOT NULL,
    waiting integer NOT NULL,
    state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'approved', 'replaced')),
    counts jsonb NOT NULL
);

CREATE TABLE outbox.approval (
    approval_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    plan_id text NOT NULL REFERENCES outbox.plan,
    plan_hash text NOT NULL,
    kind text NOT NULL,
    action text NOT NULL,
    policy text NOT NULL CHECK (policy IN ('auto', 'review', 'two-person')),
    approved_by text NOT NULL,
    approved_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    changes integer NOT NULL,
    UNIQUE (plan_id, kind, action, approved_by)
);

CREATE TABLE outbox.submission (
    submission_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    plan_id text NOT NULL REFERENCES outbox.plan,
    kind text NOT NULL,
    key text NOT NULL,
    action text NOT NULL CHECK (action IN ('create', 'update', 'cancel')),
    order_no integer NOT NULL,
    content_hash bytea NOT NULL,
    generation integer NOT NULL DEFAULT 0,
    idempotency_key text NOT NULL UNIQUE,
    correlation_id text NOT NULL,
    state text NOT NULL DEFAULT 'planned',
    reason text NOT NULL DEFAULT '',
    fields text[] NOT NULL DEFAULT '{}',
    parents text[] NOT NULL DEFAULT '{}',
    run_code text,
    ssg_ref text,
    deadline date,
    attempts integer NOT NULL DEFAULT 0,
    needs_search boolean NOT NULL DEFAULT false,
    first_sent_at timestamptz,
    last_sent_at timestamptz,
    next_attempt_at timestamptz NOT NULL DEFAULT now(),
    lease_owner text,
    lease_until timestamptz,
    error_class text,
    error_code text,
    sentence text,
    remedy text,
    approved_by text,
    upload_id text,
    sheet text,
    row_number integer,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz
);
-- One submission of a record under way at a time: the second line of defence against a double.
CREATE UNIQUE INDEX submission_one_live ON outbox.submission (kind, key)
    WHERE state IN ('planned', 'held', 'ready', 'sending', 'retry', 'unknown', 'rejected', 'dead');
CREATE INDEX submission_due ON outbox.submission (order_no, deadline, submission_id)
    WHERE state IN ('ready', 'retry', 'unknown');
CREATE INDEX submission_leased ON outbox.submission (lease_until) WHERE lease_owner IS NOT NULL;
CREATE INDEX submission_key ON outbox.submission (kind, key, submission_id);
CREATE INDEX submission_ref ON outbox.submission (ssg_ref);
CREATE INDEX submission_correlation ON outbox.submission (correlation_id);
CREATE INDEX submission_upload ON outbox.submission (upload_id);

-- The moves of the state machine; tms_pipeline/submission/states.py holds the same table and a test compares them.
CREATE TABLE outbox.move (
    from_state text NOT NULL,
    to_state text NOT NULL,
    PRIMARY KEY (from_state, to_state)
);

CREATE FUNCTION outbox.refuse_illegal_move() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state IS DISTINCT FROM OLD.state
       AND NOT EXISTS (SELECT FROM outbox.move WHERE from_state = OLD.state AND to_state = NEW.state) THEN
        RAISE EXCEPTION 'submission % cannot move from % to %', OLD.submission_id, OLD.state, NEW.state
            USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.content_hash IS DISTINCT FROM OLD.content_hash OR NEW.idempotency_key IS DISTINCT FROM OLD.idempotency_key THEN
        RAISE EXCEPTION 'submission %: what was planned cannot be changed', OLD.submission_id
            USING ERRCODE = 'check_violation';
    END IF;
    NEW.updated_at := now();
    RETURN NEW;
END $$;
CREATE TRIGGER refuse_illegal_move BEFORE UPDATE ON outbox.submission
    FOR EACH ROW EXECUTE FUNCTION outbox.refuse_illegal_move();

CREATE TABLE outbox.attempt (
    attempt_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    submission_id bigint NOT NULL REFERENCES outbox.submission,
    number integer NOT NULL,
    step text NOT NULL CHECK (step IN ('send', 'search')),
    correlation_id text NOT NULL,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at timestamptz,
    outcome text,
    http_status integer,
    error_class text,
    error_code text,
    seconds double precision,
    body_mark bytea
);
CREATE INDEX attempt_submission ON outbox.attempt (submission_id);
CREATE INDEX attempt_correlation ON outbox.attempt (correlation_id);

CREATE TABLE outbox.nightly (
    nightly_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    correlation_id text NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    ssg_writes integer NOT NULL DEFAULT 0,
    ssg_reads integer NOT NULL DEFAULT 0,
    state text NOT NULL DEFAULT 'running'
);

-- SSG: shared rate limit, breaker, kill switch ------------------------------------------------------------------------
CREATE TABLE ssg.rate (
    credential text PRIMARY KEY,
    next_free_at timestamptz NOT NULL DEFAULT '-infinity'
);
CREATE TABLE ssg.breaker (
    credential text PRIMARY KEY,
    failures integer NOT NULL DEFAULT 0,
    opened_at timestamptz,
    probe_at timestamptz,
    paused_until timestamptz
);
CREATE TABLE ssg.switch (
    name text PRIMARY KEY,
    stopped boolean NOT NULL,
    reason text NOT NULL,
    set_by text NOT NULL,
    set_at timestamptz NOT NULL DEFAULT now()
);

-- findings ------------------------------------------------------------------------------------------------------------
CREATE TABLE finding.review (
    review_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    about text NOT NULL CHECK (about IN ('reconciliation', 'compliance')),
    started_at timestamptz NOT NULL DEFAULT now(),
    as_of date NOT NULL,
    correlation_id text NOT NULL,
    counts jsonb NOT NULL DEFAULT '{}'
);

CREATE TABLE finding.discrepancy (
    review_id bigint NOT NULL REFERENCES finding.review ON DELETE CASCADE,
    class text NOT NULL,
    kind text NOT NULL,
    key text,
    ssg_ref text,
    field text,
    ours text,
    theirs text,
    since timestamptz NOT NULL,
    what_to_do text NOT NULL
);
CREATE INDEX discrepancy_review ON finding.discrepancy (review_id, class, kind);

CREATE TABLE finding.deadline (
    review_id bigint NOT NULL REFERENCES finding.review ON DELETE CASCADE,
    rule text NOT NULL,
    kind text NOT NULL,
    run_code text,
    key text,
    trainee_ref text,
    last_day date,
    days_left integer,
    standing text NOT NULL CHECK (standing IN ('missed', 'near', 'met late', 'breach', 'warning')),
    records integer NOT NULL DEFAULT 1,
    money numeric(12, 2),
    sentence text NOT NULL,
    what_to_do text NOT NULL
);
CREATE INDEX deadline_review ON finding.deadline (review_id, standing, rule);

-- audit: append-only by trigger, tamper-evident by chain ---------------------------------------------------------------
CREATE TABLE audit.entry (
    seq bigint PRIMARY KEY,
    at timestamptz NOT NULL,
    actor text NOT NULL,
    role text NOT NULL,
    action text NOT NULL,
    entity text NOT NULL,
    entity_key text NOT NULL,
    correlation_id text NOT NULL,
    details jsonb NOT NULL,
    previous_mac bytea NOT NULL,
    mac bytea NOT NULL
);
CREATE INDEX entry_entity ON audit.entry (entity, entity_key);
CREATE INDEX entry_correlation ON audit.entry (correlation_id);

CREATE FUNCTION audit.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is append-only' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit.entry
    FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change();

INSERT INTO outbox.move (from_state, to_state) VALUES
    ('dead', 'discarded'),
    ('dead', 'ready'),
    ('dead', 'superseded'),
    ('dead', 'unknown'),
    ('held', 'ready'),
    ('held', 'superseded'),
    ('planned', 'held'),
    ('planned', 'ready'),
    ('planned', 'superseded'),
    ('ready', 'held'),
    ('ready', 'sending'),
    ('ready', 'superseded'),
    ('rejected', 'discarded'),
    ('rejected', 'ready'),
    ('rejected', 'superseded'),
    ('retry', 'dead'),
    ('retry', 'held'),
    ('retry', 'sending'),
    ('retry', 'superseded'),
    ('sending', 'accepted'),
    ('sending', 'dead'),
    ('sending', 'ready'),
    ('sending', 'rejected'),
    ('sending', 'retry'),
    ('sending', 'superseded'),
    ('sending', 'unknown'),
    ('unknown', 'accepted'),
    ('unknown', 'dead'),
    ('unknown', 'ready');
