-- migrate:up
-- Impacts that are nobody's, kept beside the shots by whoever derives those.
CREATE TABLE IF NOT EXISTS unmatched_landing (
    landing_event_id uuid PRIMARY KEY REFERENCES event (event_id),
    session_id uuid NOT NULL REFERENCES session (id),
    target_id uuid NOT NULL REFERENCES target (id),
    landed_at timestamptz NOT NULL,
    x double precision NOT NULL,
    y double precision NOT NULL,
    arrow_id uuid,
    sigma_mm double precision,
    reason text NOT NULL CHECK (
        reason IN ('no_release', 'left_over', 'does_not_fit', 'out_of_window', 'outside_end')
    ),
    -- May have been released outside of what was read, so it is no reference.
    nearest_shot_id uuid,
    duplicates uuid[] NOT NULL DEFAULT '{}',
    deadline timestamptz NOT NULL,
    is_published boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 70);
CREATE INDEX IF NOT EXISTS unmatched_landing_session_id
    ON unmatched_landing (session_id, landed_at, landing_event_id);
CREATE INDEX IF NOT EXISTS unmatched_landing_target_id ON unmatched_landing (target_id, landed_at);
CREATE INDEX IF NOT EXISTS unmatched_landing_unpublished ON unmatched_landing (deadline)
    WHERE NOT is_published;

-- What a judge must look at of a session's shots; the queries say the same words.
CREATE INDEX IF NOT EXISTS shot_review ON shot (session_id, release_time, id)
    WHERE status <> 'voided' AND NOT flags @> '{ruled}'::text[] AND (
        status = 'unresolved' OR flags && (
            '{ambiguous,out_of_end,extra_arrow,wrong_face,line_call,duplicate_suspect,'
            'late_landing,reader_offline}'
        )::text[]
    );

-- migrate:down
DROP INDEX IF EXISTS shot_review;
DROP TABLE IF EXISTS unmatched_landing;
