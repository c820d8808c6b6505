"""Impacts that are nobody's: kept beside the shots, for a judge to look at."""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from asyncpg import Record
from msgspec import Struct

from core.domain.review import Reason
from core.domain.window import Span
from core.models.instants import instant, microseconds
from core.postgres import Connection

UNMATCHED_LANDING_SELECT_KNOWN = """
SELECT landing.* FROM unmatched_landing AS landing WHERE landing.landing_event_id = ANY ($4::uuid[])
UNION
SELECT landing.* FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[])
    AS span (target_id, begins, ends)
JOIN unmatched_landing AS landing ON landing.target_id = span.target_id
    AND landing.landed_at >= span.begins AND landing.landed_at <= span.ends
"""

# An id holds no comma: an array of arrays cannot be unnested by rows, a text can.
UNMATCHED_LANDING_UPSERT = """
INSERT INTO unmatched_landing (
    landing_event_id, session_id, target_id, landed_at, x, y, arrow_id, sigma_mm, reason,
    nearest_shot_id, duplicates, deadline
)
SELECT landing_event_id, session_id, target_id, landed_at, x, y, arrow_id, sigma_mm, reason,
    nearest_shot_id, string_to_array(duplicates, ',')::uuid[], deadline
FROM unnest(
    $1::uuid[], $2::uuid[], $3::uuid[], $4::timestamptz[], $5::double precision[],
    $6::double precision[], $7::uuid[], $8::double precision[], $9::text[], $10::uuid[],
    $11::text[], $12::timestamptz[]
) AS new (
    landing_event_id, session_id, target_id, landed_at, x, y, arrow_id, sigma_mm, reason,
    nearest_shot_id, duplicates, deadline
)
ON CONFLICT (landing_event_id) DO UPDATE SET
    session_id = excluded.session_id, target_id = excluded.target_id,
    landed_at = excluded.landed_at, x = excluded.x, y = excluded.y, arrow_id = excluded.arrow_id,
    sigma_mm = excluded.sigma_mm, reason = excluded.reason,
    nearest_shot_id = excluded.nearest_shot_id, duplicates = excluded.duplicates,
    deadline = excluded.deadline, updated_at = now()
"""

UNMATCHED_LANDING_DELETE = "DELETE FROM unmatched_landing WHERE landing_event_id = ANY ($1)"

UNMATCHED_LANDING_SELECT_DUE = """
SELECT landing.*, event.request_id
FROM unmatched_landing AS landing
JOIN event ON event.event_id = landing.landing_event_id
WHERE NOT landing.is_published AND landing.deadline <= $1
ORDER BY landing.landed_at, landing.landing_event_id
"""

UNMATCHED_LANDING_SELECT_DUE_TARGETS = """
SELECT DISTINCT target_id FROM unmatched_landing WHERE NOT is_published AND deadline <= $1
"""

UNMATCHED_LANDING_MARK_PUBLISHED = """
UPDATE unmatched_landing SET is_published = true WHERE landing_event_id = ANY ($1)
"""


class UnmatchedLanding(Struct, frozen=True):
    """An impact that is nobody's.

    Args:
        landing_event_id: Its first report.
        session_id: The session.
        target_id: The butt.
        landed_at: When, microseconds.
        x: Millimetres right of the butt's centre.
        y: Millimetres above the butt's centre.
        arrow_id: The arrow that it says it is.
        sigma_mm: The reader's uncertainty of x and y.
        reason: Why it is nobody's.
        nearest_shot_id: The shot that it may belong to after all.
        duplicates: The ids of further reports of the same impact.
        deadline: When a judge is told of it unless its release is known by then, microseconds.
    """

    landing_event_id: UUID
    session_id: UUID
    target_id: UUID
    landed_at: int
    x: float
    y: float
    arrow_id: UUID | None
    sigma_mm: float | None
    reason: Reason
    nearest_shot_id: UUID | None
    duplicates: tuple[UUID, ...]
    deadline: int


class DueLanding(Struct, frozen=True):
    """An impact that a judge is to be told of.

    Args:
        landing: The impact.
        request_id: The request that brought its report.
    """

    landing: UnmatchedLanding
    request_id: UUID | None


def _stored(row: Record) -> UnmatchedLanding:
    return UnmatchedLanding(
        landing_event_id=row["landing_event_id"],
        session_id=row["session_id"],
        target_id=row["target_id"],
        landed_at=microseconds(row["landed_at"]),
        x=row["x"],
        y=row["y"],
        arrow_id=row["arrow_id"],
        sigma_mm=row["sigma_mm"],
        reason=Reason(row["reason"]),
        nearest_shot_id=row["nearest_shot_id"],
        duplicates=tuple(row["duplicates"]),
        deadline=microseconds(row["deadline"]),
    )


async def select_unmatched(
    conn: Connection, spans: Mapping[UUID, Span], ids: Collection[UUID]
) -> dict[UUID, UnmatchedLanding]:
    """What is kept of some targets, each within a span of time, and of some landings wherever they
    are kept; by the landing's event id."""
    rows = await conn.fetch(
        UNMATCHED_LANDING_SELECT_KNOWN,
        list(spans),
        [instant(span.begin) for span in spans.values()],
        [instant(span.end) for span in spans.values()],
        list(ids),
    )
    return {row["landing_event_id"]: _stored(row) for row in rows}


async def upsert_unmatched(conn: Connection, landings: Sequence[UnmatchedLanding]) -> None:
    """Keep these, or write them anew; whether a judge was told of them stays."""
    rows = [
        (
            each.landing_event_id,
            each.session_id,
            each.target_id,
            instant(each.landed_at),
            each.x,
            each.y,
            each.arrow_id,
            each.sigma_mm,
            each.reason,
            each.nearest_shot_id,
            ",".join(str(report) for report in each.duplicates),
            instant(each.deadline),
        )
        for each in landings
    ]
    columns = (list(column) for column in zip(*rows, strict=True))
    await conn.execute(UNMATCHED_LANDING_UPSERT, *columns)


async def delete_unmatched(conn: Connection, landing_event_ids: Collection[UUID]) -> None:
    """They are somebody's after all, or no impacts of their own."""
    await conn.execute(UNMATCHED_LANDING_DELETE, list(landing_event_ids))


async def select_due(conn: Connection, as_of: int) -> list[DueLanding]:
    """Impacts whose release did not come in time, and that no judge was told of, in the order of
    their time."""
    rows = await conn.fetch(UNMATCHED_LANDING_SELECT_DUE, instant(as_of))
    return [DueLanding(_stored(row), row["request_id"]) for row in rows]


async def select_due_targets(conn: Connection, as_of: int) -> set[UUID]:
    """The targets of the impacts that `select_due` answers."""
    rows = await conn.fetch(UNMATCHED_LANDING_SELECT_DUE_TARGETS, instant(as_of))
    return {row["target_id"] for row in rows}


async def mark_told(conn: Connection, landing_event_ids: Collection[UUID]) -> None:
    """Note that judges were told of these."""
    await conn.execute(UNMATCHED_LANDING_MARK_PUBLISHED, list(landing_event_ids))
