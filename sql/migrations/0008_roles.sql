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

-- What was, for those who see their part of it: the views of the past name no sealed value and no mark (a view reads
-- with the rights of who asks, and asks for every column that it names), and no report needs one.
CREATE OR REPLACE FUNCTION history.show(place text, name text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    listed text;
BEGIN
    SELECT string_agg(CASE WHEN one ~ '(_sealed|_mark|^wrapped)$' THEN 'NULL::bytea AS ' ELSE '' END || quote_ident(one), ', ')
    INTO listed
    FROM unnest(history.columns_of(place, name)) one;
    EXECUTE format('DROP VIEW IF EXISTS history.%I', place || '_' || name);
    EXECUTE format(
        'CREATE VIEW history.%1$I WITH (security_invoker = true) AS '
        'SELECT %4$s FROM %2$I.%3$I WHERE valid_from <= history.moment() UNION ALL '
        'SELECT %4$s FROM %2$I.%5$I WHERE valid_from <= history.moment() AND valid_to > history.moment()',
        place || '_' || name, place, name, listed, name || '_history'
    );
END $$;

DO $$
DECLARE
    one record;
BEGIN
    FOR one IN
        SELECT t.schemaname AS place, t.tablename AS name
        FROM pg_tables t
        JOIN pg_views v ON v.schemaname = 'history' AND v.viewname = t.schemaname || '_' || t.tablename
        JOIN pg_tables h ON h.schemaname = t.schemaname AND h.tablename = t.tablename || '_history'
    LOOP
        PERFORM history.show(one.place, one.name);
    END LOOP;
END $$;
