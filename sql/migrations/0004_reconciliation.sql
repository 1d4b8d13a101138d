-- Reconciliation that says who changed what, both ways and with the sheets; reads of changes only; grants.

-- reads ---------------------------------------------------------------------------------------------------------------
-- ``mode``: 'whole', or 'changes' since a Singapore day where SSG can say what changed. Only a whole read shows absence.
ALTER TABLE mirror.read
    ADD COLUMN mode text NOT NULL DEFAULT 'whole' CHECK (mode IN ('whole', 'changes')),
    ADD COLUMN since date,
    ADD COLUMN pages integer NOT NULL DEFAULT 0,
    ADD COLUMN bytes bigint NOT NULL DEFAULT 0,
    ADD CHECK ((mode = 'changes') = (since IS NOT NULL));

-- grants --------------------------------------------------------------------------------------------------------------
-- SSG makes them from enrolments and we only read them (ssg-api 8.1). Every text stands here as SSG sent it.
CREATE TABLE mirror.grants (
    ssg_ref text PRIMARY KEY,
    enrolment_reference text,
    ssg_run_id text,
    course_reference text,
    status text,
    reason text,
    scheme_code text,
    scheme text,
    component_code text,
    component text,
    estimated numeric(12, 2),
    paid numeric(12, 2),
    recovery numeric(12, 2),
    disbursed_on date,
    live boolean NOT NULL DEFAULT true,
    created_on timestamptz,
    updated_on timestamptz,
    seen_at timestamptz NOT NULL,
    first_seen_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX grants_enrolment ON mirror.grants (enrolment_reference);

-- The periods in which SSG supports a course (ssg-api 4.4): whether a grant can be expected at all.
CREATE TABLE mirror.course_support (
    course_reference text NOT NULL,
    tagging_code text NOT NULL DEFAULT '',
    description text NOT NULL DEFAULT '',
    from_day date,
    to_day date
);
CREATE INDEX course_support_course ON mirror.course_support (course_reference);

-- findings ------------------------------------------------------------------------------------------------------------
-- ``comparison``: which side was asked of the other. ``changed_by``: who changed last, as far as both sides tell.
ALTER TABLE finding.discrepancy
    ADD COLUMN comparison text NOT NULL DEFAULT 'register to SSG'
        CHECK (comparison IN ('register to SSG', 'SSG to register')),
    ADD COLUMN changed_by text;

-- What became of sheet rows that are not in the registers as they were typed: no cell stands here.
CREATE TABLE finding.sheet_row (
    review_id bigint NOT NULL REFERENCES finding.review ON DELETE CASCADE,
    class text NOT NULL,
    kinds text[] NOT NULL,
    upload_id text NOT NULL,
    sheet text,
    row_number integer,
    field text,
    code text,
    sentence text NOT NULL,
    since timestamptz NOT NULL,
    what_to_do text NOT NULL
);
CREATE INDEX sheet_row_review ON finding.sheet_row (review_id, class);

-- The numbers of each review, by comparison, kind, field ('' for the record as a whole) and class: what trends are
-- drawn from.
CREATE TABLE finding.tally (
    review_id bigint NOT NULL REFERENCES finding.review ON DELETE CASCADE,
    comparison text NOT NULL,
    kind text NOT NULL,
    field text NOT NULL DEFAULT '',
    class text NOT NULL,
    records bigint NOT NULL,
    PRIMARY KEY (review_id, comparison, kind, field, class)
);

-- Which rows of later files say again what a rejected row said: marks of its natural keys (none where one cannot be read) with
-- those rows of other uploads that have the same, and the rows of corrected sheets with the row that each names.
CREATE TABLE intake.row_key (
    upload_id text NOT NULL REFERENCES intake.upload ON DELETE CASCADE,
    table_no integer NOT NULL,
    row_number integer NOT NULL,
    kind text NOT NULL,
    key_mark bytea
);
CREATE INDEX row_key_row ON intake.row_key (upload_id, table_no, row_number);
CREATE INDEX row_key_key ON intake.row_key (kind, key_mark);
CREATE TABLE intake.row_corrects (
    upload_id text NOT NULL REFERENCES intake.upload ON DELETE CASCADE,
    table_no integer NOT NULL,
    row_number integer NOT NULL,
    corrects_upload text NOT NULL REFERENCES intake.upload ON DELETE CASCADE,
    corrects_table integer NOT NULL,
    corrects_row integer NOT NULL,
    PRIMARY KEY (upload_id, table_no, row_number)
);
CREATE INDEX row_corrects_row ON intake.row_corrects (corrects_upload, corrects_table, corrects_row);
CREATE INDEX landing_row_rejected ON intake.landing_row (upload_id, table_no, row_number) WHERE status = 'rejected';
