-- migrate:up
-- How often a butt's events and shots were written: a worker that remembers them knows by it that nobody else did meanwhile.
CREATE TABLE IF NOT EXISTS butt_turn (
    target_id uuid PRIMARY KEY REFERENCES target (id),
    turn bigint NOT NULL
) WITH (fillfactor = 50);

-- migrate:down
DROP TABLE IF EXISTS butt_turn;
