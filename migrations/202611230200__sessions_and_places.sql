-- migrate:up
CREATE TABLE IF NOT EXISTS session (
    id uuid PRIMARY KEY,
    name text,
    location text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('practice', 'tournament')),
    is_indoor boolean NOT NULL,
    distance double precision NOT NULL CHECK (distance > 0),
    round_code text,
    results_public boolean NOT NULL DEFAULT true,
    rules jsonb NOT NULL,
    start_time timestamptz NOT NULL,
    end_time timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CHECK (end_time >= start_time)
);

CREATE TABLE IF NOT EXISTS target (
    id uuid PRIMARY KEY,
    session_id uuid NOT NULL REFERENCES session (id),
    lane integer NOT NULL CHECK (lane > 0),
    distance double precision CHECK (distance > 0),
    width_mm double precision NOT NULL CHECK (width_mm > 0),
    height_mm double precision NOT NULL CHECK (height_mm > 0),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (session_id, lane)
);

CREATE TABLE IF NOT EXISTS face (
    id uuid PRIMARY KEY,
    target_id uuid NOT NULL REFERENCES target (id),
    position integer NOT NULL,
    face_type text NOT NULL,
    x double precision NOT NULL,
    y double precision NOT NULL,
    letter text,
    UNIQUE (target_id, position)
);

CREATE TABLE IF NOT EXISTS slot (
    id uuid PRIMARY KEY,
    session_id uuid NOT NULL REFERENCES session (id),
    target_id uuid NOT NULL REFERENCES target (id),
    letter text NOT NULL,
    archer_id uuid NOT NULL REFERENCES archer (id),
    bow_id uuid REFERENCES bow (id),
    bowstyle text NOT NULL,
    shaft_diameter_mm double precision NOT NULL CHECK (shaft_diameter_mm > 0),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (target_id, letter)
);
CREATE INDEX IF NOT EXISTS slot_session_id ON slot (session_id);
CREATE INDEX IF NOT EXISTS slot_archer_id ON slot (archer_id);

-- migrate:down
DROP TABLE IF EXISTS slot;
DROP TABLE IF EXISTS face;
DROP TABLE IF EXISTS target;
DROP TABLE IF EXISTS session;
