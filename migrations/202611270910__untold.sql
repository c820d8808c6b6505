-- migrate:up
-- Shots that were written and of which viewers were not told since, as far as is noted: a row for each write, gone once
-- they were. Noted in the shots themselves it was a second version of each, with an entry in every index.
CREATE TABLE IF NOT EXISTS untold (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    shot_ids uuid[] NOT NULL CHECK (cardinality(shot_ids) > 0),
    written_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO untold (shot_ids, written_at)
SELECT array_agg(id), max(updated_at) FROM shot WHERE published_version < version GROUP BY target_id;
DROP INDEX IF EXISTS shot_unpublished;
ALTER TABLE shot DROP COLUMN published_version;

-- migrate:down
ALTER TABLE shot ADD COLUMN published_version integer NOT NULL DEFAULT 0;
UPDATE shot SET published_version = version
WHERE NOT EXISTS (SELECT FROM untold WHERE shot.id = ANY (shot_ids));
ALTER TABLE shot ADD CONSTRAINT shot_check3 CHECK (published_version <= version);
CREATE INDEX IF NOT EXISTS shot_unpublished ON shot (updated_at) WHERE published_version < version;
DROP TABLE IF EXISTS untold;
