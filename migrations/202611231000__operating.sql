-- migrate:up
-- A failed job is tried again by an operator's wish, or put aside until it is purged.
ALTER TABLE failed_job DROP CONSTRAINT IF EXISTS failed_job_state_check;
UPDATE failed_job SET state = 'mended' WHERE state = 'retried';
ALTER TABLE failed_job ADD CONSTRAINT failed_job_state_check
    CHECK (state IN ('failed', 'restarted', 'mended', 'discarded'));
ALTER TABLE failed_job ADD COLUMN IF NOT EXISTS retries integer NOT NULL DEFAULT 0;
ALTER TABLE failed_job ADD COLUMN IF NOT EXISTS session_id uuid;
ALTER TABLE failed_job ADD COLUMN IF NOT EXISTS enqueued_at timestamptz;
DROP INDEX IF EXISTS failed_job_state;
CREATE INDEX IF NOT EXISTS failed_job_state_updated_at ON failed_job (state, updated_at DESC, id);
CREATE INDEX IF NOT EXISTS failed_job_job_id ON failed_job (job_id);
CREATE INDEX IF NOT EXISTS failed_job_target_id ON failed_job (target_id);
CREATE INDEX IF NOT EXISTS failed_job_session_id ON failed_job (session_id);

-- What operators did.
CREATE TABLE IF NOT EXISTS admin_action (
    id uuid PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT now(),
    token_id uuid,
    by text NOT NULL,
    action text NOT NULL,
    subject text NOT NULL,
    count integer NOT NULL,
    failed_job_ids uuid[] NOT NULL DEFAULT '{}',
    request_id uuid
);
CREATE INDEX IF NOT EXISTS admin_action_at ON admin_action (at DESC, id);
CREATE INDEX IF NOT EXISTS admin_action_failed_job_ids ON admin_action USING gin (failed_job_ids);

-- migrate:down
DROP TABLE IF EXISTS admin_action;
DROP INDEX IF EXISTS failed_job_session_id;
DROP INDEX IF EXISTS failed_job_target_id;
DROP INDEX IF EXISTS failed_job_job_id;
DROP INDEX IF EXISTS failed_job_state_updated_at;
CREATE INDEX IF NOT EXISTS failed_job_state ON failed_job (state, created_at);
ALTER TABLE failed_job DROP COLUMN IF EXISTS enqueued_at;
ALTER TABLE failed_job DROP COLUMN IF EXISTS session_id;
ALTER TABLE failed_job DROP COLUMN IF EXISTS retries;
ALTER TABLE failed_job DROP CONSTRAINT IF EXISTS failed_job_state_check;
UPDATE failed_job SET state = 'retried' WHERE state IN ('restarted', 'mended');
ALTER TABLE failed_job ADD CONSTRAINT failed_job_state_check
    CHECK (state IN ('failed', 'retried', 'discarded'));
