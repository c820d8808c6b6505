"""What shots bring about that were written: what they teach about others, and their slots' sums."""

from collections.abc import Collection, Sequence
from uuid import UUID

from core.domain.learning import Clocks, Lesson
from core.models.instants import instant
from core.postgres import Connection

# A slot's sums are derived from its shots whenever one of them changes.
SHOT_EFFECT_UPSERT = """
WITH taught AS (
    INSERT INTO lesson (
        shot_id, target_id, slot_id, released_at, flight_us, bow_reader_id, target_reader_id,
        is_missing, strays
    )
    SELECT * FROM unnest($2::lesson_row[])
    ON CONFLICT (shot_id) DO UPDATE SET
        target_id = excluded.target_id, slot_id = excluded.slot_id,
        released_at = excluded.released_at, flight_us = excluded.flight_us,
        bow_reader_id = excluded.bow_reader_id, target_reader_id = excluded.target_reader_id,
        is_missing = excluded.is_missing, strays = excluded.strays
)
INSERT INTO standing AS kept (
    slot_id, session_id, total, arrows, xs, elevens, tens, nines, sixes, fives, changed_at
)
SELECT slot.id, slot.session_id,
    coalesce(sum(shot.score), 0),
    count(shot.id),
    count(*) FILTER (WHERE shot.is_x),
    count(*) FILTER (WHERE shot.score = 11),
    count(*) FILTER (WHERE shot.score = 10),
    count(*) FILTER (WHERE shot.score = 9),
    count(*) FILTER (WHERE shot.score = 6),
    count(*) FILTER (WHERE shot.score = 5),
    clock_timestamp()
FROM slot
LEFT JOIN shot ON shot.slot_id = slot.id AND shot.status IN ('landed', 'missed')
    AND shot.score IS NOT NULL
    AND NOT shot.flags @> '{out_of_end}'
WHERE slot.id = ANY ($1)
GROUP BY slot.id
ORDER BY slot.id
ON CONFLICT (slot_id) DO UPDATE SET
    session_id = excluded.session_id, total = excluded.total, arrows = excluded.arrows,
    xs = excluded.xs, elevens = excluded.elevens, tens = excluded.tens, nines = excluded.nines,
    sixes = excluded.sixes, fives = excluded.fives, changed_at = excluded.changed_at
"""


async def keep_effects(
    conn: Connection, slots: Collection[UUID], lessons: Sequence[tuple[UUID, Lesson]] = ()
) -> None:
    """Sum up the shots of some slots anew, and keep what shots teach; of a shot that taught
    something before, only this.

    Args:
        conn: In the transaction that wrote the shots.
        slots: Whose sums may be others.
        lessons: With the target that each belongs to.
    """
    rows = [_row(target, lesson) for target, lesson in lessons]
    await conn.execute(SHOT_EFFECT_UPSERT, sorted(slots), rows)


def _row(target_id: UUID, lesson: Lesson) -> tuple[object, ...]:
    """A `lesson_row`."""
    clocks = lesson.clocks or Clocks(None, None)
    return (
        lesson.shot_id,
        target_id,
        lesson.slot_id,
        instant(lesson.released_at),
        lesson.flight,
        clocks.bow,
        clocks.butt,
        lesson.is_missing,
        lesson.strays,
    )
