-- migrate:up
-- What judges ruled: never deleted, only taken back. Shots are derived from events and from these.
CREATE TABLE IF NOT EXISTS ruling (
    id uuid PRIMARY KEY,
    session_id uuid NOT NULL REFERENCES session (id),
    target_id uuid NOT NULL REFERENCES target (id),
    action text NOT NULL CHECK (
        action IN ('score', 'assign_landing', 'void', 'restore', 'move', 'swap', 'shot', 'dismiss')
    ),
    -- One that is made of a landing has no row before the ruling, so it is no reference.
    shot_id uuid,
    landing_event_id uuid REFERENCES event (event_id),
    slot_id uuid REFERENCES slot (id),
    other_slot_id uuid REFERENCES slot (id),
    score integer,
    label text,
    is_x boolean,
    -- When what it touches happened; of a swap: the releases, and the end is not included.
    begins timestamptz NOT NULL,
    ends timestamptz NOT NULL,
    reason text NOT NULL CHECK (length(reason) BETWEEN 1 AND 500),
    token_id uuid REFERENCES token (id),
    made_by text NOT NULL,
    made_at timestamptz NOT NULL,
    request_id uuid,
    -- The shots that it touched, as viewers saw them; after is filled in when it is first applied.
    before jsonb NOT NULL,
    after jsonb,
    undone_at timestamptz,
    undone_by text,
    undone_token_id uuid REFERENCES token (id),
    undo_reason text CHECK (length(undo_reason) BETWEEN 1 AND 500),
    undo_request_id uuid,
    -- The restore that took it back.
    restore_id uuid REFERENCES ruling (id),
    -- Whether shots must still be derived with it, or without it since it was taken back.
    is_pending boolean NOT NULL DEFAULT true,
    CHECK ((action IN ('score', 'assign_landing', 'void', 'restore', 'move', 'shot'))
        = (shot_id IS NOT NULL)),
    CHECK (action NOT IN ('shot', 'dismiss') OR landing_event_id IS NOT NULL),
    CHECK ((action IN ('move', 'swap', 'shot')) = (slot_id IS NOT NULL)),
    CHECK ((action = 'swap') = (other_slot_id IS NOT NULL)),
    CHECK ((action = 'score') = (score IS NOT NULL AND label IS NOT NULL AND is_x IS NOT NULL)),
    CHECK (begins <= ends),
    CHECK ((undone_at IS NULL) = (undone_by IS NULL)),
    CHECK ((undone_at IS NULL) = (undo_reason IS NULL)),
    CHECK (undone_at IS NOT NULL OR restore_id IS NULL)
);
CREATE INDEX IF NOT EXISTS ruling_session_id ON ruling (session_id, made_at, id);
CREATE INDEX IF NOT EXISTS ruling_shot_id ON ruling (shot_id, made_at, id);
-- What stands, for whoever derives shots: of their butts, and of places that got shots of others.
CREATE INDEX IF NOT EXISTS ruling_in_force ON ruling (target_id)
    WHERE undone_at IS NULL OR is_pending;
CREATE INDEX IF NOT EXISTS ruling_slot_id ON ruling (slot_id)
    WHERE (undone_at IS NULL OR is_pending) AND slot_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS ruling_restore_id ON ruling (restore_id) WHERE restore_id IS NOT NULL;

-- A judge can make a shot of a landing whose release no reader saw, and let a shot count of which
-- no landing is known.
ALTER TABLE shot ALTER COLUMN release_event_id DROP NOT NULL;
ALTER TABLE shot DROP CONSTRAINT IF EXISTS shot_check;
ALTER TABLE shot ADD CONSTRAINT shot_release_check CHECK (
    release_event_id IS NOT NULL OR status = 'voided' OR flags @> '{ruled}'::text[]
);
ALTER TABLE shot ADD CONSTRAINT shot_landing_check CHECK (
    (status = 'landed') = (landing_event_id IS NOT NULL)
    OR status = 'landed' AND flags @> '{ruled}'::text[]
);

-- migrate:down
-- What only a judge said is gone: shots without a release, and landings without an event.
ALTER TABLE shot DROP CONSTRAINT IF EXISTS shot_release_check;
ALTER TABLE shot DROP CONSTRAINT IF EXISTS shot_landing_check;
DELETE FROM shot WHERE release_event_id IS NULL;
UPDATE shot SET status = 'unresolved', score = NULL, label = NULL, is_x = false, is_settled = false,
    version = version + 1, updated_at = now()
WHERE status = 'landed' AND landing_event_id IS NULL;
ALTER TABLE shot ADD CONSTRAINT shot_check
    CHECK ((status = 'landed') = (landing_event_id IS NOT NULL));
ALTER TABLE shot ALTER COLUMN release_event_id SET NOT NULL;
DROP TABLE IF EXISTS ruling;
