-- migrate:up
-- Rows as a worker hands them over, their times as it has them: microseconds since the epoch. To make a date of each and to
-- take it apart again is a twentieth of what a worker does for a replay. Other names than before, so that a worker that is
-- not told of it finds no type instead of another one.
CREATE FUNCTION instant(microseconds bigint) RETURNS timestamptz
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN 'epoch'::timestamptz + microseconds * interval '1 microsecond';

CREATE TYPE said_event AS (
    event_id uuid,
    reader_id uuid,
    type text,
    ts bigint,
    sent_at bigint,
    received_at bigint,
    offset_ms double precision,
    occurred_at bigint,
    arrow_id uuid,
    x double precision,
    y double precision,
    sigma_mm double precision,
    request_id uuid
);

CREATE TYPE derived_shot AS (
    id uuid,
    session_id uuid,
    target_id uuid,
    slot_id uuid,
    archer_id uuid,
    arrow_id uuid,
    release_event_id uuid,
    landing_event_id uuid,
    engage_time bigint,
    release_time bigint,
    landing_time bigint,
    deadline bigint,
    x double precision,
    y double precision,
    status text,
    score integer,
    is_x boolean,
    label text,
    face_id uuid,
    spot integer,
    confidence double precision,
    flags text[],
    is_settled boolean,
    version integer,
    request_id uuid,
    end_number integer
);

CREATE TYPE taught_lesson AS (
    shot_id uuid,
    target_id uuid,
    slot_id uuid,
    released_at bigint,
    flight_us integer,
    bow_reader_id uuid,
    target_reader_id uuid,
    is_missing boolean,
    strays integer
);

DROP TYPE IF EXISTS event_row, shot_row, lesson_row;

-- migrate:down
CREATE TYPE event_row AS (
    event_id uuid,
    reader_id uuid,
    type text,
    ts timestamptz,
    sent_at timestamptz,
    received_at timestamptz,
    offset_ms double precision,
    occurred_at timestamptz,
    arrow_id uuid,
    x double precision,
    y double precision,
    sigma_mm double precision,
    request_id uuid
);

CREATE TYPE shot_row AS (
    id uuid,
    session_id uuid,
    target_id uuid,
    slot_id uuid,
    archer_id uuid,
    arrow_id uuid,
    release_event_id uuid,
    landing_event_id uuid,
    engage_time timestamptz,
    release_time timestamptz,
    landing_time timestamptz,
    deadline timestamptz,
    x double precision,
    y double precision,
    status text,
    score integer,
    is_x boolean,
    label text,
    face_id uuid,
    spot integer,
    confidence double precision,
    flags text[],
    is_settled boolean,
    version integer,
    request_id uuid,
    end_number integer
);

CREATE TYPE lesson_row AS (
    shot_id uuid,
    target_id uuid,
    slot_id uuid,
    released_at timestamptz,
    flight_us integer,
    bow_reader_id uuid,
    target_reader_id uuid,
    is_missing boolean,
    strays integer
);

DROP TYPE IF EXISTS said_event, derived_shot, taught_lesson;
DROP FUNCTION IF EXISTS instant(bigint);
