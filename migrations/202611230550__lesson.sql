-- migrate:up
-- What each decided shot teaches about those that follow on its butt: the latest before a moment are
-- all that is known at that moment, so that deriving a shot again expects of it what it did before.
CREATE TABLE IF NOT EXISTS lesson (
    shot_id uuid PRIMARY KEY REFERENCES shot (id),
    target_id uuid NOT NULL REFERENCES target (id),
    slot_id uuid NOT NULL REFERENCES slot (id),
    released_at timestamptz NOT NULL,
    flight_us integer CHECK (flight_us >= 0),
    bow_reader_id uuid REFERENCES reader (id),
    target_reader_id uuid REFERENCES reader (id),
    is_missing boolean NOT NULL,
    strays integer NOT NULL
) WITH (fillfactor = 90);
CREATE INDEX IF NOT EXISTS lesson_target_id ON lesson (target_id, released_at, shot_id);

-- migrate:down
DROP TABLE IF EXISTS lesson;
