-- Operations: fingerprints of keys, totals of calls, reports of data migrations, which code may work with this schema.

CREATE SCHEMA operations;

-- A fingerprint of each version of each key ring, kept at the first look: a ring that was swapped for another's is
-- found before it seals or marks anything. An HMAC of a fixed text; it says nothing about the key.
CREATE TABLE operations.key_check (
    ring text NOT NULL,
    version integer NOT NULL,
    mark bytea NOT NULL,
    first_seen_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (ring, version)
);

-- Calls to SSG summed up to ``rolled_up.upto``, so that a look at the metrics reads the newest attempts only.
-- ``bucket`` is the number of the limit in seconds that the call reached (tms_pipeline/metrics/measures.py).
CREATE TABLE operations.attempt_total (
    kind text NOT NULL,
    action text NOT NULL,
    step text NOT NULL,
    class text NOT NULL,
    bucket integer NOT NULL,
    calls bigint NOT NULL,
    seconds double precision NOT NULL,
    PRIMARY KEY (kind, action, step, class, bucket)
);
CREATE TABLE operations.rolled_up (
    what text PRIMARY KEY,
    upto bigint NOT NULL
);

-- What became of the rows of a data migration, by category of failure. No row and no value stands here.
CREATE TABLE operations.data_migration (
    data_migration_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    started_by text NOT NULL,
    finished_at timestamptz,
    processed bigint NOT NULL DEFAULT 0,
    succeeded bigint NOT NULL DEFAULT 0,
    failed bigint NOT NULL DEFAULT 0,
    CHECK (processed = succeeded + failed)
);
CREATE TABLE operations.data_migration_failure (
    data_migration_id bigint NOT NULL REFERENCES operations.data_migration ON DELETE CASCADE,
    category text NOT NULL,
    records bigint NOT NULL,
    what_to_do text NOT NULL,
    PRIMARY KEY (data_migration_id, category)
);

-- The oldest release, by its newest migration, whose code still works with this schema. A contracting migration
-- raises it; code that is older refuses to start.
CREATE TABLE operations.compatibility (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    oldest text NOT NULL
);
INSERT INTO operations.compatibility (oldest) VALUES ('0002');

-- Counts by kind and state from the index alone.
CREATE INDEX submission_kind_state ON outbox.submission (kind, state);
