"""Shots written where they differ, and what they bring about: what they teach about others, and
their slots' sums."""

from collections.abc import Collection, Sequence
from uuid import UUID

from core.domain.learning import Clocks, Lesson
from core.models.correlated_shot import StoredShot
from core.models.instants import held, optional_held
from core.postgres import Connection

# What viewers are still to be told of is noted with it.
SHOT_INSERT = """
WITH created AS (
    INSERT INTO shot (
        id, session_id, target_id, slot_id, archer_id, arrow_id, release_event_id,
        landing_event_id, engage_time, release_time, landing_time, deadline, x, y, status, score,
        is_x, label, face_id, spot, confidence, flags, is_settled, version, request_id, end_number
    )
    SELECT id, session_id, target_id, slot_id, archer_id, arrow_id, release_event_id,
        landing_event_id, instant(engage_time), instant(release_time), instant(landing_time),
        instant(deadline), x, y, status, score, is_x, label, face_id, spot, confidence, flags,
        is_settled, version, request_id, end_number
    FROM unnest($1::derived_shot[])
)
INSERT INTO untold (shot_ids) SELECT $2::uuid[] WHERE cardinality($2) > 0 RETURNING id
"""

# One statement, since viewers wait for each round trip, and a landing changes a shot that is there.
# A slot's sums are derived from its shots whenever one of them changes. No part of a statement sees
# what another writes: the shots that are changed here are counted as they are handed over.
SHOT_CHANGE = """
WITH changed AS (
    UPDATE shot SET
        session_id = new.session_id, target_id = new.target_id, slot_id = new.slot_id,
        archer_id = new.archer_id, arrow_id = new.arrow_id,
        landing_event_id = new.landing_event_id, engage_time = instant(new.engage_time),
        release_time = instant(new.release_time),
        landing_time = instant(new.landing_time), deadline = instant(new.deadline),
        x = new.x, y = new.y,
        status = new.status, score = new.score, is_x = new.is_x, label = new.label,
        face_id = new.face_id, spot = new.spot, confidence = new.confidence,
        is_settled = new.is_settled, version = new.version, request_id = new.request_id,
        end_number = new.end_number,
        flags = new.flags, updated_at = now()
    FROM unnest($1::derived_shot[]) AS new
    WHERE shot.id = new.id
), taught AS (
    INSERT INTO lesson (
        shot_id, target_id, slot_id, released_at, flight_us, bow_reader_id, target_reader_id,
        is_missing, strays
    )
    SELECT shot_id, target_id, slot_id, instant(released_at), flight_us, bow_reader_id,
        target_reader_id, is_missing, strays
    FROM unnest($2::taught_lesson[])
    ON CONFLICT (shot_id) DO UPDATE SET
        target_id = excluded.target_id, slot_id = excluded.slot_id,
        released_at = excluded.released_at, flight_us = excluded.flight_us,
        bow_reader_id = excluded.bow_reader_id, target_reader_id = excluded.target_reader_id,
        is_missing = excluded.is_missing, strays = excluded.strays
), counting AS (
    SELECT slot_id, score, is_x FROM (
        SELECT slot_id, status, score, is_x, flags FROM shot
        WHERE slot_id = ANY ($3) AND id NOT IN (SELECT id FROM unnest($1::derived_shot[]))
        UNION ALL
        SELECT slot_id, status, score, is_x, flags FROM unnest($1::derived_shot[])
    ) AS shot
    WHERE status IN ('landed', 'missed') AND score IS NOT NULL AND NOT flags @> '{out_of_end}'
), counted AS (
    INSERT INTO standing AS kept (
        slot_id, session_id, total, arrows, xs, elevens, tens, nines, sixes, fives, changed_at
    )
    SELECT slot.id, slot.session_id,
        coalesce(sum(score), 0),
        count(score),
        count(*) FILTER (WHERE is_x),
        count(*) FILTER (WHERE score = 11),
        count(*) FILTER (WHERE score = 10),
        count(*) FILTER (WHERE score = 9),
        count(*) FILTER (WHERE score = 6),
        count(*) FILTER (WHERE score = 5),
        clock_timestamp()
    FROM slot
    LEFT JOIN counting ON counting.slot_id = slot.id
    WHERE slot.id = ANY ($3)
    GROUP BY slot.id
    ORDER BY slot.id
    ON CONFLICT (slot_id) DO UPDATE SET
        session_id = excluded.session_id, total = excluded.total, arrows = excluded.arrows,
        xs = excluded.xs, elevens = excluded.elevens, tens = excluded.tens, nines = excluded.nines,
        sixes = excluded.sixes, fives = excluded.fives, changed_at = excluded.changed_at
)
INSERT INTO untold (shot_ids) SELECT $4::uuid[] WHERE cardinality($4) > 0 RETURNING id
"""


async def write_shots(
    conn: Connection,
    changed: Sequence[StoredShot],
    created: Sequence[StoredShot],
    *,
    slots: Collection[UUID] = (),
    lessons: Sequence[tuple[UUID, Lesson]] = (),
    seen: Collection[UUID] = (),
) -> int | None:
    """Write what differs, and what follows from it.

    Args:
        conn: In a transaction.
        changed: Shots that are there already.
        created: Others.
        slots: Whose sums may be others: they are summed up anew.
        lessons: What shots teach, with the target that each belongs to; of one that taught
            something before, only this.
        seen: The shots that viewers are to be told of.

    Returns:
        The row of `untold` that names what was seen; None: nothing was.
    """
    if not created:
        return await _change(conn, changed, slots, lessons, seen)
    # First what was there, so that a landing is free before it is given anew.
    await _change(conn, changed, (), (), ())
    untold: int | None = await conn.fetchval(
        SHOT_INSERT, [_shot_row(shot) for shot in created], list(seen)
    )
    await _change(conn, (), slots, lessons, ())
    return untold


async def _change(
    conn: Connection,
    changed: Sequence[StoredShot],
    slots: Collection[UUID],
    lessons: Sequence[tuple[UUID, Lesson]],
    seen: Collection[UUID],
) -> int | None:
    if not (changed or slots or lessons):
        return None
    rows = [_shot_row(shot) for shot in changed]
    taught = [_lesson_row(target, lesson) for target, lesson in lessons]
    untold: int | None = await conn.fetchval(SHOT_CHANGE, rows, taught, sorted(slots), list(seen))
    return untold


def _shot_row(known: StoredShot) -> tuple[object, ...]:
    """A `derived_shot` of the database."""
    shot = known.shot
    return (
        shot.id,
        known.session_id,
        known.target_id,
        shot.slot_id,
        shot.archer_id,
        shot.arrow_id,
        shot.release_event_id,
        shot.landing_event_id,
        optional_held(shot.engaged_at),
        held(shot.released_at),
        optional_held(shot.landed_at),
        held(shot.deadline),
        shot.x,
        shot.y,
        shot.status,
        shot.score,
        shot.is_x,
        shot.label,
        shot.face_id,
        shot.spot,
        shot.confidence,
        shot.flags,
        shot.is_settled,
        known.version,
        known.request_id,
        known.end_number,
    )


def _lesson_row(target_id: UUID, lesson: Lesson) -> tuple[object, ...]:
    """A `taught_lesson` of the database."""
    clocks = lesson.clocks or Clocks(None, None)
    return (
        lesson.shot_id,
        target_id,
        lesson.slot_id,
        held(lesson.released_at),
        lesson.flight,
        clocks.bow,
        clocks.butt,
        lesson.is_missing,
        lesson.strays,
    )
