-- Submission that cannot lose or double: what both sides last agreed on, order by dependency, expiring approvals,
-- holds, resolutions of discrepancies.

-- What register and SSG last agreed on, by a write of ours or by a read that matched. SSG differs from it: somebody
-- else changed SSG. The register differs from it: we did. '\x00' says that we agreed that it is gone.
DO $$
DECLARE kind text;
BEGIN
    FOREACH kind IN ARRAY ARRAY['trainer', 'course_run', 'session', 'enrolment', 'fee', 'attendance', 'assessment'] LOOP
        EXECUTE format('ALTER TABLE mirror.%I ADD COLUMN agreed_hash bytea, ADD COLUMN agreed_key text', kind);
        -- Few rows: those that somebody took away or moved elsewhere, or that we took back.
        EXECUTE format('CREATE INDEX %I ON mirror.%I (agreed_key) WHERE agreed_key IS NOT NULL '
                       'AND (NOT live OR key IS DISTINCT FROM agreed_key)', kind || '_agreed', kind);
    END LOOP;
END $$;

-- outbox --------------------------------------------------------------------------------------------------------------
-- ``follows``: changes of other records that must be settled before; ``due``: the nearest deadline of this or of what
-- hangs on it; ``searches``: searches since the last call.
ALTER TABLE outbox.submission
    ADD COLUMN follows text[] NOT NULL DEFAULT '{}',
    ADD COLUMN due date,
    ADD COLUMN approved_until timestamptz,
    ADD COLUMN searches integer NOT NULL DEFAULT 0;
UPDATE outbox.submission SET due = deadline;
UPDATE outbox.submission SET approved_until = now() + interval '1 day' WHERE state IN ('ready', 'retry', 'sending', 'unknown');
ALTER TABLE outbox.plan ADD COLUMN elsewhere integer NOT NULL DEFAULT 0;

DROP INDEX outbox.submission_due;
CREATE INDEX submission_due ON outbox.submission (due, order_no, submission_id) WHERE state IN ('ready', 'retry', 'unknown');
CREATE INDEX submission_plan ON outbox.submission (plan_id);
CREATE INDEX submission_run_leased ON outbox.submission (run_code) WHERE lease_owner IS NOT NULL;

CREATE TABLE outbox.hold (
    hold_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text,
    action text,
    key text,
    reason text NOT NULL CHECK (reason <> ''),
    held_by text NOT NULL,
    held_at timestamptz NOT NULL DEFAULT now(),
    released_by text,
    released_at timestamptz,
    release_reason text,
    CHECK (kind IS NOT NULL OR key IS NOT NULL)
);
CREATE INDEX hold_active ON outbox.hold (kind) WHERE released_at IS NULL;

-- What a person decided about a record that differs from SSG. It holds as long as the register's side stays as it was.
CREATE TABLE outbox.resolution (
    resolution_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL,
    key text NOT NULL,
    how text NOT NULL CHECK (how IN ('ours', 'theirs', 'ignore')),
    until date,
    reason text NOT NULL CHECK (reason <> ''),
    made_by text NOT NULL,
    made_at timestamptz NOT NULL DEFAULT now(),
    register_hash bytea,
    register_live boolean NOT NULL,
    their_hash bytea,
    ended_at timestamptz,
    CHECK ((how = 'ignore') = (until IS NOT NULL))
);
CREATE UNIQUE INDEX resolution_active ON outbox.resolution (kind, key) WHERE ended_at IS NULL;

CREATE OR REPLACE FUNCTION outbox.refuse_illegal_move() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state IS DISTINCT FROM OLD.state
       AND NOT EXISTS (SELECT FROM outbox.move WHERE from_state = OLD.state AND to_state = NEW.state) THEN
        RAISE EXCEPTION 'submission % cannot move from % to %', OLD.submission_id, OLD.state, NEW.state
            USING ERRCODE = 'check_violation';
    END IF;
    IF (NEW.kind, NEW.key, NEW.action, NEW.content_hash, NEW.idempotency_key, NEW.generation)
       IS DISTINCT FROM (OLD.kind, OLD.key, OLD.action, OLD.content_hash, OLD.idempotency_key, OLD.generation) THEN
        RAISE EXCEPTION 'submission %: what was planned cannot be changed', OLD.submission_id
            USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.state = 'sending' AND OLD.state <> 'sending'
       AND (NEW.approved_until IS NULL OR NEW.lease_owner IS NULL OR NOT NEW.needs_search) THEN
        RAISE EXCEPTION 'submission % may not be sent: it needs an approval, a lease and its intent', OLD.submission_id
            USING ERRCODE = 'check_violation';
    END IF;
    NEW.updated_at := now();
    RETURN NEW;
END $$;

CREATE FUNCTION outbox.refuse_wrong_start() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state NOT IN ('planned', 'held') THEN
        RAISE EXCEPTION 'a submission begins planned or held, not %', NEW.state USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER refuse_wrong_start BEFORE INSERT ON outbox.submission
    FOR EACH ROW EXECUTE FUNCTION outbox.refuse_wrong_start();

DELETE FROM outbox.move WHERE (from_state, to_state) IN (('held', 'ready'), ('sending', 'superseded'));
INSERT INTO outbox.move (from_state, to_state) VALUES
    ('held', 'discarded'),
    ('held', 'planned'),
    ('ready', 'dead'),
    ('ready', 'planned'),
    ('retry', 'planned');

-- What waits behind a dead letter is found from its parents.
CREATE INDEX submission_parents ON outbox.submission USING gin (parents)
    WHERE state IN ('planned', 'held', 'ready', 'retry', 'rejected', 'dead');
