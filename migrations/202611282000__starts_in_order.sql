-- migrate:up
-- The latest start before a word is looked for with each; a reader that is switched on every day has hundreds.
CREATE INDEX IF NOT EXISTS reader_boot_started_at ON reader_boot (reader_id, started_at);
-- The day (UTC) of the last word of that start: what is older than a butt's session is not read. A day, and not the
-- time, so that a heartbeat changes no index.
ALTER TABLE reader_boot ADD COLUMN IF NOT EXISTS told_on date GENERATED ALWAYS AS (
    (greatest(clear_at, event_clear_at) AT TIME ZONE 'UTC')::date
) STORED;
CREATE INDEX IF NOT EXISTS reader_boot_told_on ON reader_boot (reader_id, told_on);

-- migrate:down
DROP INDEX IF EXISTS reader_boot_told_on;
ALTER TABLE reader_boot DROP COLUMN IF EXISTS told_on;
DROP INDEX IF EXISTS reader_boot_started_at;
