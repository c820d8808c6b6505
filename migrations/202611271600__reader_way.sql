-- migrate:up
-- Partitions that what a reader said came through before it was moved to a butt of another: some of it may still wait
-- there, and all that it says counts after that. A row goes when nothing does any more.
CREATE TABLE IF NOT EXISTS reader_way (
    reader_id uuid NOT NULL REFERENCES reader (id),
    partition_key integer NOT NULL,
    left_at timestamptz NOT NULL,
    PRIMARY KEY (reader_id, partition_key)
);

-- migrate:down
DROP TABLE IF EXISTS reader_way;
