-- migrate:up
-- When the heartbeat came that said what is still to be sent: an older one that is heard later says nothing about that.
ALTER TABLE reader_status ADD COLUMN IF NOT EXISTS buffered_said_at timestamptz;

-- migrate:down
ALTER TABLE reader_status DROP COLUMN IF EXISTS buffered_said_at;
