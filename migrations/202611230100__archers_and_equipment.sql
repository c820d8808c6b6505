-- migrate:up
CREATE TABLE IF NOT EXISTS archer (
    id uuid PRIMARY KEY,
    given_name text NOT NULL,
    family_name text NOT NULL,
    club text,
    country text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE IF NOT EXISTS bow (
    id uuid PRIMARY KEY,
    archer_id uuid NOT NULL REFERENCES archer (id),
    bowstyle text NOT NULL,
    name text,
    draw_weight_lb double precision CHECK (draw_weight_lb > 0),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX IF NOT EXISTS bow_archer_id ON bow (archer_id);

CREATE TABLE IF NOT EXISTS arrow (
    id uuid PRIMARY KEY,
    archer_id uuid NOT NULL REFERENCES archer (id),
    identifier text NOT NULL CHECK (length(identifier) BETWEEN 1 AND 10),
    shaft_diameter_mm double precision NOT NULL CHECK (shaft_diameter_mm > 0),
    length_mm double precision CHECK (length_mm > 0),
    mass_grain double precision CHECK (mass_grain > 0),
    spine double precision CHECK (spine > 0),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (archer_id, identifier)
);

-- migrate:down
DROP TABLE IF EXISTS arrow;
DROP TABLE IF EXISTS bow;
DROP TABLE IF EXISTS archer;
