-- migrate:up
-- Looked at every second: there are few of them, and they pass.
CREATE INDEX IF NOT EXISTS shot_presumed ON shot (target_id) WHERE status = 'missed' AND NOT is_settled;

-- migrate:down
DROP INDEX IF EXISTS shot_presumed;
