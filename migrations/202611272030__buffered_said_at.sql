-- migrate:up
-- When the heartbeat came that said what is still to be sent: an older one that is heard later says nothing about that.
ALTER TABLE reader_status ADD COLUMN IF NOT EXISTS buffered_said_at timestamptz;
-- What was said before is believed until somebody says something newer.
UPDATE reader_status SET buffered_said_at = last_heard_at WHERE buffered > 0 AND isfinite(last_heard_at);

-- migrate:down
ALTER TABLE reader_status DROP COLUMN IF EXISTS buffered_said_at;
