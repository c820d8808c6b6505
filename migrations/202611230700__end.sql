-- migrate:up
-- Ends: those that a judge opens and closes, for a whole session, and those that the arrows of a butt
-- fill by their count, kept by whoever derives its shots. END is a reserved word.
CREATE TABLE IF NOT EXISTS shooting_end (
    id uuid PRIMARY KEY,
    session_id uuid NOT NULL REFERENCES session (id),
    target_id uuid REFERENCES target (id),
    number integer NOT NULL CHECK (number > 0),
    control text NOT NULL CHECK (control IN ('auto', 'manual')),
    opened_at timestamptz NOT NULL,
    closed_at timestamptz,
    -- Whose tokens; null: that of the environment, or the arrows' count.
    opened_by uuid REFERENCES token (id),
    closed_by uuid REFERENCES token (id),
    changed_by uuid REFERENCES token (id),
    changed_at timestamptz,
    -- Of ends by count: what viewers were told of.
    is_opening_told boolean NOT NULL DEFAULT false,
    is_closing_told boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((control = 'auto') = (target_id IS NOT NULL)),
    CHECK (opened_at <= closed_at),
    CONSTRAINT shooting_end_target_id_number_key UNIQUE (target_id, number),
    CONSTRAINT shooting_end_span_key
        EXCLUDE USING gist (session_id WITH =, tstzrange(opened_at, closed_at) WITH &&)
        WHERE (control = 'manual')
);
CREATE UNIQUE INDEX IF NOT EXISTS shooting_end_session_id_number_key
    ON shooting_end (session_id, number) WHERE control = 'manual';
CREATE INDEX IF NOT EXISTS shooting_end_session_id
    ON shooting_end (session_id, opened_at, id);
CREATE INDEX IF NOT EXISTS shooting_end_untold ON shooting_end (updated_at)
    WHERE NOT is_opening_told OR (closed_at IS NOT NULL AND NOT is_closing_told);

-- migrate:down
DROP TABLE IF EXISTS shooting_end;
