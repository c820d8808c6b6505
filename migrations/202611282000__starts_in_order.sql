-- migrate:up
-- The latest start before a word is looked for with each; a reader that is switched on every day has hundreds.
CREATE INDEX IF NOT EXISTS reader_boot_started_at ON reader_boot (reader_id, started_at);

-- migrate:down
DROP INDEX IF EXISTS reader_boot_started_at;
