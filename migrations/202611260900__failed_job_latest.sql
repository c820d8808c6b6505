-- migrate:up
-- The latest failures of a state in the order in which they are listed, whatever their number.
CREATE INDEX IF NOT EXISTS failed_job_latest ON failed_job (state, updated_at DESC, id DESC);
DROP INDEX IF EXISTS failed_job_state_updated_at;

-- migrate:down
CREATE INDEX IF NOT EXISTS failed_job_state_updated_at ON failed_job (state, updated_at DESC, id);
DROP INDEX IF EXISTS failed_job_latest;
