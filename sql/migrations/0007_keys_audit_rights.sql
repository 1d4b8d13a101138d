-- Keys that are rotated and retired, an audit log that knows its keys, and the rights of the people we hold data of.

-- keys ----------------------------------------------------------------------------------------------------------------
-- Which version of a ring makes new values. A process that started earlier reads its ring again when it sees a newer.
CREATE TABLE identity.ring_version (
    ring text NOT NULL CHECK (ring IN ('data', 'index', 'audit')),
    version integer NOT NULL,
    state text NOT NULL CHECK (state IN ('active', 'valid', 'retired')),
    since timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (ring, version)
);
CREATE UNIQUE INDEX ring_version_active ON identity.ring_version (ring) WHERE state = 'active';

-- How far a rotation is. It is killed and begun again without loss: what is done can be seen in the rows themselves.
CREATE TABLE identity.rotation (
    rotation_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    ring text NOT NULL,
    from_version integer NOT NULL,
    to_version integer NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    started_by text NOT NULL,
    done bigint NOT NULL DEFAULT 0,
    todo bigint NOT NULL DEFAULT 0,
    step text NOT NULL DEFAULT 'begun',
    finished_at timestamptz
);
CREATE UNIQUE INDEX rotation_open ON identity.rotation (ring) WHERE finished_at IS NULL;

-- While the index ring is rotated: the mark that each mark becomes. Emptied when the rotation is over.
CREATE TABLE identity.remark (
    old bytea PRIMARY KEY,
    new bytea NOT NULL
);

CREATE INDEX data_key_version ON identity.data_key (ring_version) WHERE wrapped IS NOT NULL;

-- audit ---------------------------------------------------------------------------------------------------------------
ALTER TABLE audit.entry ADD COLUMN key_version integer NOT NULL DEFAULT 1;
-- ALWAYS: the trigger also fires for a session that calls itself a replica.
ALTER TABLE audit.entry ENABLE ALWAYS TRIGGER refuse_change;
CREATE INDEX entry_at ON audit.entry (at);
CREATE INDEX entry_details ON audit.entry USING gin (details jsonb_path_ops);

-- Where the log begins after old entries were removed by rule: number and HMAC of the last one that is gone.
CREATE TABLE audit.beginning (
    seq bigint PRIMARY KEY,
    mac bytea NOT NULL,
    key_version integer NOT NULL,
    removed_at timestamptz NOT NULL,
    signature bytea NOT NULL
);
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit.beginning
    FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change();
ALTER TABLE audit.beginning ENABLE ALWAYS TRIGGER refuse_change;

-- rights --------------------------------------------------------------------------------------------------------------
CREATE SCHEMA rights;

CREATE TABLE rights.legal_hold (
    hold_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    trainee_ref text NOT NULL REFERENCES identity.trainee,
    reason text NOT NULL CHECK (reason <> ''),
    held_by text NOT NULL,
    held_at timestamptz NOT NULL DEFAULT now(),
    released_by text,
    released_at timestamptz,
    release_reason text
);
CREATE UNIQUE INDEX legal_hold_active ON rights.legal_hold (trainee_ref) WHERE released_at IS NULL;

CREATE TABLE rights.destruction (
    certificate_id text PRIMARY KEY,
    destroyed_at timestamptz NOT NULL,
    destroyed_by text NOT NULL,
    sha256 text NOT NULL,
    counts jsonb NOT NULL,
    -- Set when nothing of it is left to do: a destruction that was killed is gone on with.
    finished_at timestamptz
);

CREATE TABLE rights.shredded (
    trainee_ref text PRIMARY KEY REFERENCES identity.trainee,
    certificate_id text NOT NULL,
    rule text NOT NULL,
    shredded_at timestamptz NOT NULL DEFAULT now()
);

-- Requests of people: access, correction, withdrawal of consent. ``due`` is the last day to answer.
CREATE TABLE rights.request (
    request_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    trainee_ref text NOT NULL REFERENCES identity.trainee,
    about text NOT NULL CHECK (about IN ('access', 'correction', 'consent')),
    received_on date NOT NULL,
    due date NOT NULL,
    recorded_by text NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    -- Names of fields, never their values.
    fields text[] NOT NULL DEFAULT '{}',
    note text NOT NULL DEFAULT '',
    answered_at timestamptz,
    answered_by text,
    answer text
);
CREATE INDEX request_open ON rights.request (due) WHERE answered_at IS NULL;
CREATE INDEX request_trainee ON rights.request (trainee_ref);

-- Consents that were withdrawn; while one stands, its fields are not taken in again.
CREATE TABLE rights.withdrawal (
    withdrawal_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    trainee_ref text NOT NULL REFERENCES identity.trainee,
    purpose text NOT NULL CHECK (purpose IN ('contact')),
    reason text NOT NULL,
    withdrawn_on date NOT NULL,
    recorded_by text NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    -- When the contact details were taken out: not before the last course is over and at SSG, which needs them.
    effective_at timestamptz,
    given_again_at timestamptz,
    given_again_by text
);
CREATE UNIQUE INDEX withdrawal_active ON rights.withdrawal (trainee_ref, purpose) WHERE given_again_at IS NULL;

-- Whatever a file says: what somebody does not want to be kept is not kept. SSG is not told, as its record stands.
CREATE FUNCTION rights.keep_out_contacts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM rights.withdrawal w
               WHERE w.trainee_ref = NEW.trainee_ref AND w.purpose = 'contact'
                 AND w.effective_at IS NOT NULL AND w.given_again_at IS NULL) THEN
        NEW.email_sealed := NULL;
        NEW.email_mark := NULL;
        NEW.phone_sealed := NULL;
        NEW.phone_mark := NULL;
        IF TG_OP = 'UPDATE' AND (NEW.full_name_mark, NEW.birth_date_mark)
                                IS NOT DISTINCT FROM (OLD.full_name_mark, OLD.birth_date_mark) THEN
            NEW.own_hash := OLD.own_hash;
            NEW.ssg_hash := OLD.ssg_hash;
        END IF;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER keep_out_contacts BEFORE INSERT OR UPDATE ON register.trainee
    FOR EACH ROW EXECUTE FUNCTION rights.keep_out_contacts();

-- The files from which something that is or was in the registers about a trainee came.
CREATE FUNCTION rights.uploads_of(ref text) RETURNS SETOF text LANGUAGE sql STABLE AS $$
              SELECT upload_id FROM register.trainee WHERE trainee_ref = ref
    UNION     SELECT upload_id FROM register.trainee_history WHERE trainee_ref = ref
    UNION     SELECT upload_id FROM register.enrolment WHERE trainee_ref = ref
    UNION     SELECT upload_id FROM register.enrolment_history WHERE trainee_ref = ref
    UNION     SELECT upload_id FROM register.attendance WHERE trainee_ref = ref
    UNION     SELECT upload_id FROM register.attendance_history WHERE trainee_ref = ref
    UNION     SELECT upload_id FROM register.assessment WHERE trainee_ref = ref
    UNION     SELECT upload_id FROM register.assessment_history WHERE trainee_ref = ref
    UNION     SELECT upload_id FROM register.fee WHERE trainee_ref = ref
    UNION     SELECT upload_id FROM register.fee_history WHERE trainee_ref = ref
$$;

-- Files that are kept whole because they name somebody under a legal hold: a file cannot be split.
CREATE VIEW rights.held_original AS
SELECT DISTINCT u.upload_id, h.trainee_ref
FROM rights.legal_hold h
CROSS JOIN LATERAL rights.uploads_of(h.trainee_ref) AS o (upload_id)
JOIN intake.upload u USING (upload_id)
WHERE h.released_at IS NULL AND u.archive_name IS NOT NULL;

-- SSG goes on showing whom we have shredded: the mirror keeps no mark of them. Its name makes it the first to fire, so
-- that no version is kept of what was not let in.
CREATE FUNCTION rights.keep_out_shredded() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM rights.shredded s WHERE s.trainee_ref = ANY (string_to_array(NEW.key, '|'))) THEN
        NEW := jsonb_populate_record(NEW, (SELECT jsonb_object_agg(name, NULL) FROM jsonb_object_keys(to_jsonb(NEW)) name
                                           WHERE right(name, 5) = '_mark'));
    END IF;
    RETURN NEW;
END $$;
DO $$
DECLARE
    kind text;
BEGIN
    FOREACH kind IN ARRAY ARRAY['enrolment', 'attendance', 'assessment'] LOOP
        EXECUTE format('CREATE TRIGGER aa_keep_out_shredded BEFORE INSERT OR UPDATE ON mirror.%I FOR EACH ROW '
                       'WHEN (NEW.key IS NOT NULL) EXECUTE FUNCTION rights.keep_out_shredded()', kind);
    END LOOP;
END $$;
