-- migrate:up
CREATE EXTENSION IF NOT EXISTS btree_gist;

-- A reader is never erased, only retired: events that are still on their way must find it.
CREATE TABLE IF NOT EXISTS reader (
    id uuid PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('arrow', 'bow', 'target')),
    name text NOT NULL,
    retired_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

-- A reader's place is a history: what it said at its old place stays there.
CREATE TABLE IF NOT EXISTS reader_binding (
    id uuid PRIMARY KEY,
    reader_id uuid NOT NULL REFERENCES reader (id),
    slot_id uuid REFERENCES slot (id),
    target_id uuid NOT NULL REFERENCES target (id),
    valid_from timestamptz NOT NULL,
    valid_to timestamptz NOT NULL DEFAULT 'infinity',
    CHECK (valid_from < valid_to),
    EXCLUDE USING gist (reader_id WITH =, tstzrange(valid_from, valid_to) WITH &&)
);
CREATE INDEX IF NOT EXISTS reader_binding_target_id ON reader_binding (target_id);
CREATE INDEX IF NOT EXISTS reader_binding_slot_id ON reader_binding (slot_id);
CREATE INDEX IF NOT EXISTS reader_binding_reader_id ON reader_binding (reader_id, valid_from);

CREATE TABLE IF NOT EXISTS reader_status (
    reader_id uuid PRIMARY KEY REFERENCES reader (id),
    last_heard_at timestamptz NOT NULL,
    is_online boolean NOT NULL,
    battery_pct double precision,
    firmware text,
    buffered integer
) WITH (fillfactor = 70);
CREATE INDEX IF NOT EXISTS reader_status_online ON reader_status (last_heard_at) WHERE is_online;

-- One row for each time a reader was switched on, as far as it says so
-- (started_at -infinity: it does not say).
CREATE TABLE IF NOT EXISTS reader_boot (
    reader_id uuid NOT NULL REFERENCES reader (id),
    said_started_at timestamptz NOT NULL,
    started_at timestamptz NOT NULL,
    clear_at timestamptz,
    event_clear_at timestamptz,
    PRIMARY KEY (reader_id, said_started_at)
) WITH (fillfactor = 70);

CREATE TABLE IF NOT EXISTS token (
    id uuid PRIMARY KEY,
    role text NOT NULL CHECK (role IN ('reader', 'gateway', 'viewer', 'judge', 'admin')),
    name text NOT NULL,
    hash bytea NOT NULL UNIQUE,
    reader_id uuid REFERENCES reader (id),
    created_at timestamptz NOT NULL DEFAULT now(),
    revoked_at timestamptz,
    CHECK ((role = 'reader') = (reader_id IS NOT NULL))
);
CREATE INDEX IF NOT EXISTS token_reader_id ON token (reader_id);

-- migrate:down
DROP TABLE IF EXISTS token;
DROP TABLE IF EXISTS reader_boot;
DROP TABLE IF EXISTS reader_status;
DROP TABLE IF EXISTS reader_binding;
DROP TABLE IF EXISTS reader;
DROP EXTENSION IF EXISTS btree_gist;
