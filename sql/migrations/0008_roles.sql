-- Who has which role, and what was revealed to whom. Postgres' own roles and row rules: sql/roles/database_roles.sql.

CREATE TABLE identity.role_grant (
    grant_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    person text NOT NULL CHECK (person <> '' AND length(person) <= 200),
    role text NOT NULL CHECK (role IN ('admin', 'ops admin', 'trainer', 'finance', 'auditor')),
    -- How the name may be proven: a name that a login chooses freely must not become a user of this machine.
    ways text[] NOT NULL CHECK (ways <> '{}' AND ways <@ ARRAY['system', 'token', 'proxy']),
    trainer_code text,
    granted_by text NOT NULL,
    granted_at timestamptz NOT NULL DEFAULT now(),
    revoked_by text,
    revoked_at timestamptz,
    CHECK ((role = 'trainer') = (trainer_code IS NOT NULL)),
    CHECK ((revoked_by IS NULL) = (revoked_at IS NULL))
);
CREATE UNIQUE INDEX role_grant_active ON identity.role_grant (person) WHERE revoked_at IS NULL;

-- One row a reveal, written before it is shown: the limit a person and day is counted here, across processes.
CREATE TABLE identity.reveal (
    reveal_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    person text NOT NULL,
    day date NOT NULL,
    entity_key text NOT NULL,
    field text NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX reveal_person ON identity.reveal (person, day);
