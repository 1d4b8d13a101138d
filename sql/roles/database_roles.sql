-- Postgres' own roles, least privilege, and row rules. Idempotent: run after migrations, and by 'tms roles database'.
-- The roles cannot log in: a user of the server is made a member of one. New tables are covered by the next run, and
-- until then only their owner may touch them.
DO $roles$
DECLARE
    name text; part record; shown text; rule text;
    schemas text[] := ARRAY(
        SELECT nspname::text FROM pg_namespace
        WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'public') AND has_schema_privilege(oid, 'USAGE')
          AND pg_has_role(nspowner, 'MEMBER'));
BEGIN
    FOREACH name IN ARRAY ARRAY['tms_owner', 'tms_app', 'tms_reader', 'tms_auditor', 'tms_trainer', 'tms_finance'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN', name);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                NULL;  -- another database of this server was faster
            END;
        END IF;
        -- A superuser is of every role; who was made a member before may not do so again, and need not.
        IF NOT pg_has_role(current_user, name, 'USAGE') THEN
            EXECUTE format('GRANT %I TO %I', name, current_user);
        END IF;
    END LOOP;

    -- The app loads by COPY, which Postgres refuses under row rules even where they let every row through. It sees every
    -- row anyway. Who may not say so (no superuser) keeps working as the user of DATABASE_URL.
    IF NOT (SELECT rolbypassrls FROM pg_roles WHERE rolname = 'tms_app') THEN
        BEGIN
            ALTER ROLE tms_app BYPASSRLS;
        EXCEPTION WHEN insufficient_privilege OR internal_error THEN
            NULL;  -- not allowed, or another database of this server did it at the same moment
        END;
    END IF;

    FOREACH name IN ARRAY schemas LOOP
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO tms_owner, tms_app, tms_auditor', name);
        EXECUTE format('GRANT CREATE ON SCHEMA %I TO tms_owner', name);
        EXECUTE format('GRANT ALL ON ALL TABLES IN SCHEMA %I TO tms_owner', name);
        EXECUTE format('GRANT ALL ON ALL SEQUENCES IN SCHEMA %I TO tms_owner', name);
        IF name <> 'audit' THEN
            EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %I TO tms_app', name);
        END IF;
        EXECUTE format('GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA %I TO tms_app', name);
        IF name <> 'identity' THEN
            EXECUTE format('GRANT USAGE ON SCHEMA %I TO tms_reader, tms_trainer, tms_finance', name);
        END IF;
    END LOOP;
    GRANT USAGE ON SCHEMA public TO tms_owner, tms_app, tms_reader, tms_auditor, tms_trainer, tms_finance;
    IF to_regclass('public.schema_version') IS NOT NULL THEN
        GRANT SELECT ON public.schema_version TO tms_app, tms_reader, tms_auditor, tms_trainer, tms_finance;
        GRANT ALL ON public.schema_version TO tms_owner;
    END IF;

    -- Who made the tables keeps by membership what they may, also where somebody else runs this for them.
    FOR part IN
        SELECT DISTINCT o.rolname AS maker
        FROM pg_namespace n JOIN pg_roles o ON o.oid = n.nspowner
        WHERE n.nspname = ANY (schemas) AND NOT o.rolsuper AND o.rolname NOT IN (current_user, 'tms_owner')
    LOOP
        FOREACH name IN ARRAY ARRAY['tms_owner', 'tms_app', 'tms_reader', 'tms_auditor', 'tms_trainer', 'tms_finance'] LOOP
            EXECUTE format('GRANT %I TO %I', name, part.maker);
        END LOOP;
    END LOOP;

    -- What is there belongs to the owner, so that a member of it can migrate without being anybody's superuser.
    FOREACH name IN ARRAY schemas LOOP
        EXECUTE format('ALTER SCHEMA %I OWNER TO tms_owner', name);
    END LOOP;
    FOR part IN
        SELECT n.nspname AS schema, c.relname AS "table",
               CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END
                   AS kind
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = ANY (schemas) AND c.relkind IN ('r', 'p', 'v', 'm', 'S') AND pg_has_role(c.relowner, 'MEMBER')
          AND c.relowner <> (SELECT oid FROM pg_roles WHERE rolname = 'tms_owner')
          AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND c.relkind = 'S' AND d.deptype IN ('a', 'i'))
    LOOP
        EXECUTE format('ALTER %s %I.%I OWNER TO tms_owner', part.kind, part.schema, part."table");
    END LOOP;

    -- The log: added to and read, by nobody changed. Who is scoped adds to it, and sees no more than the chain's end.
    EXECUTE 'GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA audit TO tms_app';
    EXECUTE 'REVOKE UPDATE, DELETE, TRUNCATE ON ALL TABLES IN SCHEMA audit FROM tms_app, tms_auditor';
    GRANT INSERT ON audit.entry TO tms_auditor, tms_trainer, tms_finance;
    FOR part IN
        SELECT c.relname AS "table", string_agg(quote_ident(a.attname), ', ') AS plain
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname IN ('seq', 'mac', 'key_version')
        WHERE c.relnamespace = 'audit'::regnamespace AND c.relkind = 'r' GROUP BY c.relname
    LOOP
        EXECUTE format('GRANT SELECT (%s) ON audit.%I TO tms_trainer, tms_finance', part.plain, part."table");
    END LOOP;
    -- Whoever has a role may know which, and nobody but the app changes it.
    GRANT SELECT ON identity.role_grant TO tms_auditor;

    -- Reads without sealed values, marks and keys, column by column.
    FOR part IN
        SELECT n.nspname AS schema, c.relname AS "table", c.relkind AS kind, c.oid,
               string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FILTER (
                   WHERE a.attname !~ '(_sealed|_mark|^wrapped)$') AS plain,
               bool_or(a.attname = 'run_code') AS of_run
        FROM pg_class c
        JOIN pg_namespace n ON n.oid = c.relnamespace
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        WHERE n.nspname = ANY (schemas) AND c.relkind IN ('r', 'p', 'v', 'm') AND pg_has_role(c.relowner, 'MEMBER')
          AND n.nspname NOT IN ('identity', 'pg_temp')
        GROUP BY n.nspname, c.relname, c.relkind, c.oid
    LOOP
        IF part.plain IS NULL THEN
            CONTINUE;
        END IF;
        EXECUTE format('GRANT SELECT (%s) ON %I.%I TO tms_auditor', part.plain, part.schema, part."table");
        IF part.schema IN ('register', 'mirror', 'outbox', 'finding', 'intake', 'ssg', 'history') THEN
            EXECUTE format('GRANT SELECT (%s) ON %I.%I TO tms_reader, tms_trainer, tms_finance',
                           part.plain, part.schema, part."table");
        END IF;
        IF part.kind = 'v' THEN
            -- A view reads with the rights of who asks: else it would show what the row rules hide.
            EXECUTE format('ALTER VIEW %I.%I SET (security_invoker = true)', part.schema, part."table");
        END IF;
    END LOOP;

    -- The runs of the trainer whose code the session carries. Reads the register whatever the rules hide.
    CREATE OR REPLACE FUNCTION identity.own_runs() RETURNS text[] LANGUAGE sql STABLE SECURITY DEFINER
        SET search_path = pg_catalog AS $own$
            SELECT coalesce(array_agg(key), '{}') FROM register.course_run
            WHERE current_setting('tms.trainer', true) = ANY (string_to_array(trainer_codes, ';'))
        $own$;
    CREATE OR REPLACE FUNCTION identity.own_trainees() RETURNS text[] LANGUAGE sql STABLE SECURITY DEFINER
        SET search_path = pg_catalog AS $own$
            SELECT coalesce(array_agg(DISTINCT trainee_ref), '{}') FROM register.enrolment
            WHERE run_code = ANY (identity.own_runs())
        $own$;
    ALTER FUNCTION identity.own_runs() OWNER TO tms_owner;
    ALTER FUNCTION identity.own_trainees() OWNER TO tms_owner;
    REVOKE ALL ON FUNCTION identity.own_runs(), identity.own_trainees() FROM PUBLIC;
    GRANT EXECUTE ON FUNCTION identity.own_runs(), identity.own_trainees() TO tms_trainer, tms_app, tms_owner;
    GRANT USAGE ON SCHEMA identity TO tms_trainer;

    -- Row rules. What names no rule for trainer or finance is empty for them.
    FOR part IN
        SELECT n.nspname AS schema, c.relname AS "table", c.oid,
               EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'run_code' AND NOT a.attisdropped)
                   AS of_run
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname IN ('register', 'mirror', 'outbox', 'finding', 'intake', 'ssg')
          AND c.relkind IN ('r', 'p') AND pg_has_role(c.relowner, 'MEMBER')
    LOOP
        EXECUTE format('ALTER TABLE %I.%I ENABLE ROW LEVEL SECURITY', part.schema, part."table");
        EXECUTE format('DROP POLICY IF EXISTS whole ON %I.%I', part.schema, part."table");
        EXECUTE format('CREATE POLICY whole ON %I.%I TO tms_owner, tms_app, tms_reader, tms_auditor USING (true) WITH CHECK (true)',
                       part.schema, part."table");
        shown := part.schema || '.' || part."table";
        rule := CASE
            WHEN shown IN ('register.course', 'register.course_history', 'mirror.course', 'mirror.course_history', 'finding.review', 'outbox.move', 'outbox.nightly', 'ssg.switch')
                THEN 'true'
            WHEN shown ~ '^register\.fee(_history)?$|^mirror\.fee' OR part.schema IN ('intake', 'ssg') THEN NULL
            WHEN shown ~ '^(register|mirror)\.course_run(_history)?$' THEN 'key = ANY ((SELECT identity.own_runs())::text[])'
            WHEN shown ~ '^register\.trainee(_history)?$' THEN 'trainee_ref = ANY ((SELECT identity.own_trainees())::text[])'
            WHEN shown ~ '^(register|mirror)\.trainer(_history)?$' THEN 'key = current_setting(''tms.trainer'', true)'
            WHEN shown IN ('outbox.submission', 'outbox.submission_history', 'finding.discrepancy')
                THEN 'kind <> ''fee'' AND split_part(key, ''|'', 1) = ANY ((SELECT identity.own_runs())::text[])'
            WHEN shown = 'outbox.attempt' THEN 'EXISTS (SELECT FROM outbox.submission s WHERE s.submission_id = attempt.submission_id)'
            WHEN shown IN ('finding.deadline', 'finding.settled_deadline') THEN 'kind <> ''fee'' AND run_code = ANY ((SELECT identity.own_runs())::text[])'
            WHEN part.of_run THEN 'run_code = ANY ((SELECT identity.own_runs())::text[])'
        END;
        EXECUTE format('DROP POLICY IF EXISTS own_runs ON %I.%I', part.schema, part."table");
        IF rule IS NOT NULL THEN
            EXECUTE format('CREATE POLICY own_runs ON %I.%I FOR SELECT TO tms_trainer USING (%s)', part.schema, part."table", rule);
        END IF;
        rule := CASE
            WHEN shown ~ '^(register|mirror)\.(course|course_run)(_history)?$' OR shown IN ('finding.review',
                           'outbox.move', 'outbox.nightly', 'outbox.plan', 'ssg.switch') THEN 'true'
            WHEN shown ~ '^register\.fee(_history)?$|^mirror\.fee' THEN 'true'
            WHEN shown IN ('outbox.submission', 'outbox.submission_history', 'outbox.approval', 'finding.discrepancy', 'finding.deadline', 'finding.settled_deadline', 'outbox.hold',
                           'outbox.resolution')
                THEN 'kind = ''fee'''
            WHEN shown = 'outbox.attempt' THEN 'EXISTS (SELECT FROM outbox.submission s WHERE s.submission_id = attempt.submission_id)'
        END;
        EXECUTE format('DROP POLICY IF EXISTS fees ON %I.%I', part.schema, part."table");
        IF rule IS NOT NULL THEN
            EXECUTE format('CREATE POLICY fees ON %I.%I FOR SELECT TO tms_finance USING (%s)', part.schema, part."table", rule);
        END IF;
    END LOOP;

    -- By this a process sees that the rules are those of its own release (tms_pipeline/roles/database_roles.py).
    EXECUTE format('COMMENT ON SCHEMA identity IS %L', 'rights ' || md5(current_query()));
EXCEPTION WHEN insufficient_privilege THEN
    IF (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        RAISE;
    END IF;
    RAISE NOTICE 'tms: this user of Postgres may not make roles, so the roles tms_owner, tms_app, tms_reader, tms_auditor, tms_trainer and tms_finance and the row rules are not there; run ''tms roles database'' with one that may.';
END $roles$;
