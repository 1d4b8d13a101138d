-- History, so that any report can be made for a past day: what we believed then, and what SSG was seen to hold.
--
-- Registers have kept their versions since 0001. Here the mirror, the submissions and the uploads get the same:
-- "valid_from" beside each row, and a table "…_history" of what it was before, with "valid_to". Views of the schema
-- "history" show each table as it was at the moment that the setting "tms.as_of" names (tms_pipeline/store/as_of.py).
--
-- Cost: nothing for a row that is inserted, and a comparison for one that is updated; only a change that a report could
-- show writes a history row. What a worker or a nightly read merely stamps (leases, when it was last seen, what both
-- sides agree on) is no change.

-- How many learners a finding concerns, where that is known: so that a summary need not read sentences.
ALTER TABLE finding.deadline ADD COLUMN learners integer NOT NULL DEFAULT 0;

CREATE SCHEMA history;

-- The moment that the views show; it is set for one transaction.
CREATE FUNCTION history.moment() RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE AS
$$ SELECT current_setting('tms.as_of')::timestamptz $$;

CREATE FUNCTION history.columns_of(place text, name text) RETURNS text[] LANGUAGE sql STABLE AS $$
    SELECT array_agg(column_name::text ORDER BY ordinal_position)
    FROM information_schema.columns
    WHERE table_schema = place AND table_name = name
$$;

-- A view over a table and its versions.
CREATE FUNCTION history.show(place text, name text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    listed text;
BEGIN
    SELECT string_agg(quote_ident(one), ', ') INTO listed FROM unnest(history.columns_of(place, name)) one;
    EXECUTE format('DROP VIEW IF EXISTS history.%I', place || '_' || name);
    EXECUTE format(
        'CREATE VIEW history.%1$I WITH (security_invoker = true) AS '
        'SELECT %4$s FROM %2$I.%3$I WHERE valid_from <= history.moment() UNION ALL '
        'SELECT %4$s FROM %2$I.%5$I WHERE valid_from <= history.moment() AND valid_to > history.moment()',
        place || '_' || name, place, name, listed, name || '_history'
    );
END $$;

-- Keep the versions of a table from now on. "stamps" are columns whose change alone makes no new version. Call it again
-- after a migration that adds columns to the table: history, trigger and view follow.
CREATE FUNCTION history.keep(place text, name text, since text, stamps text[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    past text := name || '_history';
    before text;
    after text;
    one record;
BEGIN
    IF NOT 'valid_from' = ANY (history.columns_of(place, name)) THEN
        EXECUTE format('ALTER TABLE %I.%I ADD COLUMN valid_from timestamptz', place, name);
        -- Older rows: the best that is known. What they were before has not been kept.
        EXECUTE format('UPDATE %I.%I SET valid_from = coalesce(%I, now())', place, name, since);
        EXECUTE format('ALTER TABLE %1$I.%2$I ALTER COLUMN valid_from SET DEFAULT now(), '
                       'ALTER COLUMN valid_from SET NOT NULL', place, name);
    END IF;
    -- valid_to comes first, so that a column added to both later stays in the same place in both.
    EXECUTE format('CREATE TABLE IF NOT EXISTS %1$I.%2$I (valid_to timestamptz NOT NULL, LIKE %1$I.%3$I)',
                   place, past, name);
    FOR one IN
        SELECT c.column_name, format_type(a.atttypid, a.atttypmod) AS type
        FROM information_schema.columns c
        JOIN pg_attribute a ON a.attrelid = format('%I.%I', place, name)::regclass AND a.attname = c.column_name
        WHERE c.table_schema = place AND c.table_name = name
          AND NOT c.column_name = ANY (history.columns_of(place, past))
        ORDER BY c.ordinal_position
    LOOP
        EXECUTE format('ALTER TABLE %I.%I ADD COLUMN %I %s', place, past, one.column_name, one.type);
    END LOOP;

    EXECUTE format(
        'CREATE OR REPLACE FUNCTION history.%1$I() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN '
        -- Several changes in one transaction are one version.
        'NEW.valid_from := greatest(now(), OLD.valid_from); '
        'IF NEW.valid_from > OLD.valid_from THEN INSERT INTO %2$I.%3$I SELECT NEW.valid_from, OLD.*; END IF; '
        'RETURN NEW; END $f$',
        'keep_' || place || '_' || name, place, past
    );
    SELECT string_agg('OLD.' || quote_ident(c), ', '), string_agg('NEW.' || quote_ident(c), ', ')
    INTO before, after
    FROM unnest(history.columns_of(place, name)) c
    WHERE NOT c = ANY (stamps || ARRAY['valid_from']);
    EXECUTE format('CREATE OR REPLACE TRIGGER keep_history BEFORE UPDATE ON %I.%I FOR EACH ROW '
                   'WHEN ((%s) IS DISTINCT FROM (%s)) EXECUTE FUNCTION history.%I()',
                   place, name, before, after, 'keep_' || place || '_' || name);
    PERFORM history.show(place, name);
END $$;

-- A view over a table whose rows are only added: those that were there, and of these no ending that came later.
CREATE FUNCTION history.show_added(place text, name text, added text, endings text[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    listed text;
BEGIN
    SELECT string_agg(
               CASE WHEN c = ANY (endings)
                    THEN format('CASE WHEN %1$I <= history.moment() THEN %1$I END AS %1$I', c)
                    ELSE quote_ident(c) END, ', ')
    INTO listed
    FROM unnest(history.columns_of(place, name)) c;
    EXECUTE format('DROP VIEW IF EXISTS history.%I', place || '_' || name);
    EXECUTE format('CREATE VIEW history.%I WITH (security_invoker = true) AS SELECT %s FROM %I.%I WHERE %I <= history.moment()',
                   place || '_' || name, listed, place, name, added);
END $$;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['course', 'trainer', 'course_run', 'session', 'trainee', 'enrolment', 'fee',
                                'attendance', 'assessment'] LOOP
        PERFORM history.show('register', name);
    END LOOP;
    -- Every table of the mirror that holds records of SSG.
    FOR name IN
        SELECT c.table_name
        FROM information_schema.columns c
        JOIN information_schema.tables t USING (table_schema, table_name)
        WHERE c.table_schema = 'mirror' AND c.column_name = 'first_seen_at' AND t.table_type = 'BASE TABLE'
    LOOP
        PERFORM history.keep('mirror', name, 'first_seen_at',
                             ARRAY['seen_at', 'seen_how', 'read_id', 'agreed_hash', 'agreed_key', 'last_seen_at']);
        EXECUTE format('CREATE INDEX %I ON mirror.%I (ssg_ref, valid_to)', name || '_history_ref', name || '_history');
    END LOOP;
END $$;

-- The periods of support of a course are replaced as a whole when they changed: what goes is kept.
ALTER TABLE mirror.course_support ADD COLUMN valid_from timestamptz NOT NULL DEFAULT now();
CREATE TABLE mirror.course_support_history (valid_to timestamptz NOT NULL, LIKE mirror.course_support);
CREATE FUNCTION history.keep_support() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF OLD.valid_from < now() THEN INSERT INTO mirror.course_support_history SELECT now(), OLD.*; END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER keep_history AFTER DELETE ON mirror.course_support FOR EACH ROW EXECUTE FUNCTION history.keep_support();
SELECT history.show('mirror', 'course_support');

SELECT history.keep('outbox', 'submission', 'created_at',
                    ARRAY['lease_owner', 'lease_until', 'updated_at', 'searches', 'needs_search', 'parents', 'follows', 'due']);
CREATE INDEX submission_history_id ON outbox.submission_history (submission_id, valid_to);
SELECT history.keep('intake', 'upload', 'received_at', ARRAY['attempt', 'result_path']);

SELECT history.show_added('outbox', 'plan', 'created_at', '{}');
SELECT history.show_added('outbox', 'approval', 'approved_at', '{}');
SELECT history.show_added('outbox', 'attempt', 'started_at', ARRAY['finished_at']);
SELECT history.show_added('outbox', 'nightly', 'started_at', ARRAY['finished_at']);
SELECT history.show_added('outbox', 'hold', 'held_at', ARRAY['released_at']);
SELECT history.show_added('outbox', 'resolution', 'made_at', ARRAY['ended_at']);
SELECT history.show_added('mirror', 'read', 'started_at', ARRAY['finished_at']);
SELECT history.show_added('finding', 'review', 'started_at', '{}');
SELECT history.show_added('audit', 'entry', 'at', '{}');
