-- migrate:up
CREATE TABLE IF NOT EXISTS event (
    event_id uuid PRIMARY KEY,
    reader_id uuid NOT NULL REFERENCES reader (id),
    type text NOT NULL
        CHECK (type IN ('arrow_identified', 'arrow_engage', 'arrow_release', 'arrow_landed')),
    ts timestamptz NOT NULL,
    sent_at timestamptz,
    received_at timestamptz NOT NULL,
    offset_ms double precision NOT NULL,
    occurred_at timestamptz NOT NULL,
    arrow_id uuid,
    x double precision,
    y double precision,
    sigma_mm double precision,
    request_id uuid,
    CHECK ((type = 'arrow_landed') = (x IS NOT NULL AND y IS NOT NULL))
);
CREATE INDEX IF NOT EXISTS event_reader_id_occurred_at ON event (reader_id, occurred_at);
-- Whose events name an arrow, when the arrow is registered or changes hands.
CREATE INDEX IF NOT EXISTS event_arrow_id ON event (arrow_id) WHERE arrow_id IS NOT NULL;

CREATE TABLE IF NOT EXISTS shot (
    id uuid PRIMARY KEY,
    session_id uuid NOT NULL REFERENCES session (id),
    target_id uuid NOT NULL REFERENCES target (id),
    slot_id uuid NOT NULL REFERENCES slot (id),
    archer_id uuid NOT NULL REFERENCES archer (id),
    arrow_id uuid REFERENCES arrow (id),
    release_event_id uuid NOT NULL UNIQUE REFERENCES event (event_id),
    landing_event_id uuid REFERENCES event (event_id),
    engage_time timestamptz,
    release_time timestamptz NOT NULL,
    landing_time timestamptz,
    deadline timestamptz NOT NULL,
    x double precision,
    y double precision,
    status text NOT NULL
        CHECK (status IN ('in_flight', 'landed', 'missed', 'unresolved', 'voided')),
    score integer,
    is_x boolean NOT NULL DEFAULT false,
    label text,
    face_id uuid,
    spot integer,
    confidence double precision NOT NULL DEFAULT 1,
    flags text[] NOT NULL DEFAULT '{}',
    end_number integer NOT NULL DEFAULT 1,
    is_settled boolean NOT NULL,
    version integer NOT NULL,
    published_version integer NOT NULL DEFAULT 0,
    request_id uuid,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    -- One landing never counts for two shots; deferrable, so that one statement may swap two.
    CONSTRAINT shot_landing_event_id_key UNIQUE (landing_event_id) DEFERRABLE INITIALLY IMMEDIATE,
    CHECK ((status = 'landed') = (landing_event_id IS NOT NULL)),
    CHECK (status NOT IN ('in_flight', 'unresolved', 'voided') OR score IS NULL),
    CHECK (published_version <= version)
) WITH (fillfactor = 70);
CREATE INDEX IF NOT EXISTS shot_session_id ON shot (session_id, release_time, id);
CREATE INDEX IF NOT EXISTS shot_target_id ON shot (target_id, release_time);
CREATE INDEX IF NOT EXISTS shot_slot_id ON shot (slot_id, release_time);
CREATE INDEX IF NOT EXISTS shot_unsettled ON shot (target_id, deadline) WHERE NOT is_settled;
CREATE INDEX IF NOT EXISTS shot_in_flight ON shot (deadline) WHERE status = 'in_flight';
CREATE INDEX IF NOT EXISTS shot_unpublished ON shot (updated_at) WHERE published_version < version;

-- A slot's sums, kept beside the shots so that a leaderboard is one short read.
CREATE TABLE IF NOT EXISTS standing (
    slot_id uuid PRIMARY KEY REFERENCES slot (id),
    session_id uuid NOT NULL REFERENCES session (id),
    total integer NOT NULL,
    arrows integer NOT NULL,
    xs integer NOT NULL,
    elevens integer NOT NULL,
    tens integer NOT NULL,
    nines integer NOT NULL,
    sixes integer NOT NULL,
    fives integer NOT NULL,
    rank integer,
    is_tied boolean,
    changed_at timestamptz NOT NULL,
    ranked_at timestamptz
) WITH (fillfactor = 70);
CREATE INDEX IF NOT EXISTS standing_session_id ON standing (session_id);
CREATE INDEX IF NOT EXISTS standing_unranked ON standing (changed_at)
    WHERE ranked_at IS NULL OR ranked_at < changed_at;

-- migrate:down
DROP TABLE IF EXISTS standing;
DROP TABLE IF EXISTS shot;
DROP TABLE IF EXISTS event;
