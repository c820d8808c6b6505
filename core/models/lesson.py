"""Lessons: what decided shots taught about those that follow on their butt."""

from collections.abc import Collection, Mapping
from uuid import UUID

from asyncpg import Record

from core.domain.learning import REMEMBERED, Lesson, clocks_of
from core.domain.window import Span
from core.models.instants import instant, microseconds
from core.models.shared import shared
from core.postgres import Connection

# Those of each span, and the latest before it.
LESSON_SELECT = """
SELECT span.target_id, lesson.shot_id, lesson.slot_id, lesson.released_at, lesson.flight_us,
    lesson.bow_reader_id, lesson.target_reader_id, lesson.is_missing, lesson.strays
FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[]) AS span (target_id, begins, ends)
CROSS JOIN LATERAL (
    (
        SELECT * FROM lesson
        WHERE lesson.target_id = span.target_id AND lesson.released_at < span.begins
        ORDER BY lesson.released_at DESC, lesson.shot_id DESC LIMIT $4
    )
    UNION ALL
    (
        SELECT * FROM lesson
        WHERE lesson.target_id = span.target_id
            AND lesson.released_at >= span.begins AND lesson.released_at <= span.ends
    )
) AS lesson
"""

LESSON_DELETE = "DELETE FROM lesson WHERE shot_id = ANY ($1)"


async def select_lessons(conn: Connection, spans: Mapping[UUID, Span]) -> dict[UUID, list[Lesson]]:
    """The lessons of shots released within a span each, and the latest before, by target."""
    rows = await conn.fetch(
        LESSON_SELECT,
        list(spans),
        [instant(span.begin) for span in spans.values()],
        [instant(span.end) for span in spans.values()],
        REMEMBERED,
    )
    found: dict[UUID, list[Lesson]] = {target: [] for target in spans}
    for row in rows:
        found[row["target_id"]].append(_lesson(row))
    return found


def _lesson(row: Record) -> Lesson:
    flight = row["flight_us"]
    return Lesson(
        shot_id=row["shot_id"],
        slot_id=shared(row["slot_id"]),
        released_at=microseconds(row["released_at"]),
        flight=flight,
        clocks=None if flight is None else clocks_of(row["bow_reader_id"], row["target_reader_id"]),
        is_missing=row["is_missing"],
        strays=row["strays"],
    )


async def delete_lessons(conn: Connection, shot_ids: Collection[UUID]) -> None:
    """Forget what these shots taught."""
    await conn.execute(LESSON_DELETE, list(shot_ids))
