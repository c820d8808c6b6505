"""Tables filled with what a range has after some years: shots, and where its readers were."""

import asyncpg

from bench.load.job import Field
from bench.load.shooting import EVENTS_A_SHOT
from bench.stack import Stack

AT_ONCE = 100_000
EVENT_COUNT = "SELECT count(*) FROM event"
# Every slot shoots in turn, an arrow of each every thirty seconds, ever further back.
SHOTS_FILL = """
WITH place AS MATERIALIZED (
    SELECT row_number() OVER (ORDER BY slot.id) - 1 AS number, slot.id AS slot_id,
        slot.session_id, slot.target_id, slot.archer_id, bow.reader_id AS bow,
        butt.reader_id AS butt, count(*) OVER () AS places
    FROM slot
    JOIN reader_binding AS bow ON bow.slot_id = slot.id
    JOIN reader ON reader.id = bow.reader_id AND reader.kind = 'bow'
    JOIN reader_binding AS butt ON butt.target_id = slot.target_id AND butt.slot_id IS NULL
    WHERE slot.session_id = $1
), drawn AS MATERIALIZED (
    SELECT place.*, gen_random_uuid() AS release_id, gen_random_uuid() AS landing_id,
        gen_random_uuid() AS engage_id,
        now() - interval '2 days' - interval '30 seconds' * (n / place.places) AS released
    FROM generate_series($2::bigint, $3::bigint) AS n
    JOIN place ON place.number = n % place.places
), told AS (
    INSERT INTO event (event_id, reader_id, type, ts, received_at, offset_ms, occurred_at, x, y)
    SELECT engage_id, bow, 'arrow_engage', released - interval '3 seconds', released, 0,
        released - interval '3 seconds', NULL::double precision, NULL::double precision FROM drawn
    UNION ALL
    SELECT release_id, bow, 'arrow_release', released, released, 0, released, NULL, NULL FROM drawn
    UNION ALL
    SELECT landing_id, butt, 'arrow_landed', released + interval '340 milliseconds', released, 0,
        released + interval '340 milliseconds', 10.0, 20.0 FROM drawn
), shot AS (
    INSERT INTO shot (
        id, session_id, target_id, slot_id, archer_id, release_event_id, landing_event_id,
        engage_time, release_time, landing_time, deadline, x, y, status, score, label,
        is_settled, version
    )
    SELECT gen_random_uuid(), session_id, target_id, slot_id, archer_id, release_id, landing_id,
        released - interval '3 seconds', released, released + interval '340 milliseconds',
        released + interval '3 seconds', 10.0, 20.0, 'landed', 9, '9', true, 2
    FROM drawn
    RETURNING id, target_id, slot_id, release_time
)
INSERT INTO lesson (shot_id, target_id, slot_id, released_at, flight_us, is_missing, strays)
SELECT id, target_id, slot_id, release_time, 340000, false, 0 FROM shot
"""

# The same field once more for each day before, with the same readers, and those of its butts
# switched on each time.
SESSIONS_FILL = """
WITH past AS MATERIALIZED (
    SELECT gen_random_uuid() AS new_id, session.*, n,
        start_time - interval '1 day' * (n + 1) AS begins, start_time - interval '1 day' * n AS ends
    FROM session, generate_series(1, $2::int) AS n WHERE id = $1
), opened AS (
    INSERT INTO session (
        id, location, kind, is_indoor, distance, results_public, rules, start_time, end_time
    )
    SELECT new_id, location, kind, is_indoor, distance, results_public, rules, begins, ends
    FROM past
), butt AS MATERIALIZED (
    SELECT gen_random_uuid() AS new_id, target.*, past.new_id AS new_session_id, begins, ends
    FROM target JOIN past ON past.id = target.session_id
), put_up AS (
    INSERT INTO target (id, session_id, lane, distance, width_mm, height_mm)
    SELECT new_id, new_session_id, lane, distance, width_mm, height_mm FROM butt
), place AS MATERIALIZED (
    SELECT gen_random_uuid() AS new_id, slot.*, butt.new_id AS new_target_id, new_session_id,
        begins, ends
    FROM slot JOIN butt ON butt.id = slot.target_id
), taken AS (
    INSERT INTO slot (id, session_id, target_id, letter, archer_id, bowstyle, shaft_diameter_mm)
    SELECT new_id, new_session_id, new_target_id, letter, archer_id, bowstyle, shaft_diameter_mm
    FROM place
), started AS (
    INSERT INTO reader_boot (reader_id, said_started_at, started_at, clear_at)
    SELECT reader_id, begins, begins, ends
    FROM butt JOIN reader_binding AS now ON now.target_id = butt.id AND now.slot_id IS NULL
)
INSERT INTO reader_binding (id, reader_id, slot_id, target_id, valid_from, valid_to)
SELECT gen_random_uuid(), reader_id, place.new_id, place.new_target_id, begins, ends
FROM place JOIN reader_binding AS now ON now.slot_id = place.id
UNION ALL
SELECT gen_random_uuid(), reader_id, NULL, butt.new_id, begins, ends
FROM butt JOIN reader_binding AS now ON now.target_id = butt.id AND now.slot_id IS NULL
"""


async def fill(stack: Stack, field: Field, events: int) -> None:
    """See that so many events are stored at least, with the shots that come of them."""
    conn = await asyncpg.connect(stack.settings.database_url)
    try:
        # What refers to what is right by construction: looking that up takes half of the time.
        await conn.execute("SET session_replication_role = replica")
        there: int = await conn.fetchval(EVENT_COUNT)
        while there < events:
            shots = min(AT_ONCE, -((there - events) // EVENTS_A_SHOT))
            done = there // EVENTS_A_SHOT
            await conn.execute(SHOTS_FILL, field.session_id, done, done + shots - 1)
            there += shots * EVENTS_A_SHOT
        if events:
            await conn.execute("VACUUM ANALYZE")
            # What is still to be written of it is no part of what the next events cost.
            await conn.execute("CHECKPOINT")
    finally:
        await conn.close()


async def give_past(stack: Stack, field: Field, sessions: int) -> None:
    """Have a field's readers have been at so many sessions before this one, a day each."""
    conn = await asyncpg.connect(stack.settings.database_url)
    try:
        await conn.execute("SET session_replication_role = replica")
        await conn.execute(SESSIONS_FILL, field.session_id, sessions)
        await conn.execute("VACUUM ANALYZE")
    finally:
        await conn.close()
