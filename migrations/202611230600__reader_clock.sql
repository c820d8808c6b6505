-- migrate:up
-- How far a reader's clock is from ours. `source` tells whose words it was measured from: the reader's
-- own, or those of a gateway that relays it and says when a batch left by its own clock.
CREATE TABLE IF NOT EXISTS reader_clock (
    reader_id uuid NOT NULL REFERENCES reader (id),
    source text NOT NULL CHECK (source IN ('reader', 'gateway')),
    offset_ms double precision,
    measured_at timestamptz,
    suspect text CHECK (suspect IN ('implausible', 'jumped')),
    jumped_at timestamptz,
    -- What the next message is held against: see core/domain/clock.py.
    state jsonb NOT NULL,
    PRIMARY KEY (reader_id, source),
    CHECK ((offset_ms IS NULL) = (measured_at IS NULL))
) WITH (fillfactor = 70);
CREATE INDEX IF NOT EXISTS reader_clock_suspect ON reader_clock (reader_id)
    WHERE suspect IS NOT NULL;

-- migrate:down
DROP TABLE IF EXISTS reader_clock;
