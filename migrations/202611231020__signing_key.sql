-- migrate:up
-- What the operators' cookies are signed with: the same for every API process. Deleting the row logs everybody out.
CREATE TABLE IF NOT EXISTS signing_key (
    purpose text PRIMARY KEY,
    secret bytea NOT NULL CHECK (octet_length(secret) >= 32),
    created_at timestamptz NOT NULL DEFAULT now()
);

-- migrate:down
DROP TABLE IF EXISTS signing_key;
