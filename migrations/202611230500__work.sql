-- migrate:up
-- What the API changed and a worker must recompute: written with the change, taken by a worker.
CREATE TABLE IF NOT EXISTS recompute (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    target_id uuid NOT NULL REFERENCES target (id),
    partition_key integer NOT NULL,
    barrier_keys integer[] NOT NULL DEFAULT '{}',
    since timestamptz NOT NULL DEFAULT '-infinity',
    until timestamptz NOT NULL DEFAULT 'infinity',
    request_id uuid,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX IF NOT EXISTS recompute_target_id ON recompute (target_id);

CREATE TABLE IF NOT EXISTS failed_job (
    id uuid PRIMARY KEY,
    job_id text NOT NULL,
    function text NOT NULL,
    arguments jsonb NOT NULL,
    attempts jsonb NOT NULL,
    error text NOT NULL,
    fingerprint text NOT NULL,
    state text NOT NULL DEFAULT 'failed'
        CHECK (state IN ('failed', 'retried', 'discarded')),
    request_id uuid,
    target_id uuid,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX IF NOT EXISTS failed_job_state ON failed_job (state, created_at);
CREATE INDEX IF NOT EXISTS failed_job_fingerprint ON failed_job (fingerprint);

-- migrate:down
DROP TABLE IF EXISTS failed_job;
DROP TABLE IF EXISTS recompute;
