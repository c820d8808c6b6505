"""Shots as correlation leaves them, read for comparison."""

from collections.abc import Collection, Mapping, Sequence
from copy import replace
from uuid import UUID

from asyncpg import Record, UniqueViolationError
from msgspec import Struct

from core.domain.outcome import emptied
from core.domain.values import Shot, ShotFlag, Status
from core.domain.window import Span
from core.models.instants import instant, microseconds, optional_microseconds
from core.models.shared import shared, shared_if_any
from core.postgres import Connection

LANDING_KEY = "shot_landing_event_id_key"

SHOT_SELECT_KNOWN = """
SELECT shot.* FROM shot WHERE shot.id = ANY ($4::uuid[])
UNION
SELECT shot.* FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[])
    AS span (target_id, begins, ends)
JOIN shot ON shot.target_id = span.target_id
    AND shot.release_time >= span.begins AND shot.release_time <= span.ends
"""

# Nobody writes a later version meanwhile, and tells of it first. Nor is anybody waited for, who may
# wait for one of these.
SHOT_LOCK = "SELECT * FROM shot WHERE id = ANY ($1) FOR NO KEY UPDATE SKIP LOCKED"

# A target that failed is not looked at every second, and not at all when workers died over it: a
# retry does.
SHOT_SELECT_OVERDUE = """
SELECT target_id, min(release_time) AS begins, max(release_time) AS ends
FROM shot
WHERE status = 'in_flight' AND deadline <= $1 AND NOT EXISTS (
    SELECT FROM failed_job
    WHERE failed_job.target_id = shot.target_id AND function = 'correlate_target'
        AND state IN ('failed', 'restarted')
        AND (error LIKE 'WorkerDiedError%' OR updated_at > now() - interval '1 minute')
)
GROUP BY target_id
"""

SHOT_SELECT_UNSETTLED = """
SELECT target_id, min(release_time) AS begins, max(release_time) AS ends
FROM shot WHERE NOT is_settled AND status <> 'voided' AND deadline <= $2 AND target_id = ANY ($1)
GROUP BY target_id
"""

SHOT_SELECT_FATES = "SELECT id, target_id, status, is_settled FROM shot WHERE id = ANY ($1)"

# Of those that are presumed: whoever is said to have been there is silent since, or has more to
# send. As the rules see it, so that what is found is no miss once it is derived. Nothing else takes
# those back, so a target that failed is looked at, too, but not every second.
SHOT_SELECT_FORSAKEN = """
SELECT shot.target_id, min(shot.release_time) AS begins, max(shot.release_time) AS ends
FROM shot
JOIN session ON session.id = shot.session_id
WHERE shot.status = 'missed' AND NOT shot.is_settled AND NOT EXISTS (
    SELECT FROM reader_binding AS binding
    JOIN reader ON reader.id = binding.reader_id AND reader.kind = 'target'
    JOIN reader_status AS status ON status.reader_id = binding.reader_id
    WHERE binding.target_id = shot.target_id AND binding.valid_from <= shot.release_time
        AND binding.valid_to >= shot.release_time + make_interval(
            secs => coalesce((session.rules ->> 'landing_window_ms')::double precision, 3000) / 1000
        )
        AND status.last_heard_at >= $1 AND coalesce(status.buffered, 0) = 0
) AND NOT EXISTS (
    SELECT FROM failed_job
    WHERE failed_job.target_id = shot.target_id AND function = 'correlate_target'
        AND state IN ('failed', 'restarted')
        AND updated_at > now() - make_interval(
            mins => CASE WHEN error LIKE 'WorkerDiedError%' THEN 5 ELSE 1 END
        )
)
GROUP BY shot.target_id
"""

# Since its reader was bound elsewhere after the fact, and its butt was not derived yet.
SHOT_SELECT_HOLDERS = """
SELECT DISTINCT shot.target_id
FROM reader_binding AS binding
JOIN event ON event.reader_id = binding.reader_id AND event.type = 'arrow_landed'
    AND event.occurred_at >= binding.valid_from AND event.occurred_at < binding.valid_to
JOIN shot ON shot.landing_event_id = event.event_id
WHERE binding.target_id = ANY ($1) AND shot.target_id <> binding.target_id
"""

SHOT_SELECT_UNSCORED = """
SELECT * FROM shot WHERE target_id = $1 AND status = 'landed' AND score IS NULL
"""


class Fate(Struct, frozen=True, gc=False):
    """What became of a stored shot.

    Args:
        target_id: Its butt.
        status: As far as is known.
        is_settled: Whether only a landing or a judge can change it.
    """

    target_id: UUID
    status: Status
    is_settled: bool


class StoredShot(Struct, frozen=True, gc=False):
    """A shot and what the database knows of it besides.

    Args:
        shot: As correlation has it.
        session_id: Its session.
        target_id: Its butt.
        end_number: The end it belongs to, from 1; 0: released before the first was opened.
        version: Grows with every change that a viewer may see.
        request_id: The request that caused the last change.
    """

    shot: Shot
    session_id: UUID
    target_id: UUID
    end_number: int
    version: int
    request_id: UUID | None


def stored(row: Record) -> StoredShot:
    """A row of the table."""
    shot = Shot(
        id=row["id"],
        slot_id=shared(row["slot_id"]),
        archer_id=shared(row["archer_id"]),
        arrow_id=row["arrow_id"],
        release_event_id=row["release_event_id"],
        landing_event_id=row["landing_event_id"],
        engaged_at=optional_microseconds(row["engage_time"]),
        released_at=microseconds(row["release_time"]),
        landed_at=optional_microseconds(row["landing_time"]),
        x=row["x"],
        y=row["y"],
        status=Status(row["status"]),
        deadline=microseconds(row["deadline"]),
        is_settled=row["is_settled"],
        score=row["score"],
        label=row["label"],
        is_x=row["is_x"],
        face_id=shared_if_any(row["face_id"]),
        spot=row["spot"],
        confidence=row["confidence"],
        flags=tuple(ShotFlag(flag) for flag in row["flags"]),
    )
    return StoredShot(
        shot,
        shared(row["session_id"]),
        shared(row["target_id"]),
        row["end_number"],
        row["version"],
        row["request_id"],
    )


def voided(known: StoredShot) -> StoredShot:
    """The shot without anything that it was: its release makes no shot of its own any more."""
    return replace(known, shot=emptied(known.shot))


async def select_known_shots(
    conn: Connection, spans: Mapping[UUID, Span], ids: Collection[UUID]
) -> dict[UUID, StoredShot]:
    """The shots of some targets released within a span each, and those with some ids, by id."""
    rows = await conn.fetch(
        SHOT_SELECT_KNOWN,
        list(spans),
        [instant(span.begin) for span in spans.values()],
        [instant(span.end) for span in spans.values()],
        list(ids),
    )
    return {row["id"]: stored(row) for row in rows}


async def lock_shots(conn: Connection, ids: Collection[UUID]) -> list[StoredShot]:
    """Those of some shots that nobody is about to change, in the order of their releases; nobody
    changes them until the transaction ends."""
    rows = await conn.fetch(SHOT_LOCK, list(ids))
    return sorted(map(stored, rows), key=lambda known: (known.shot.released_at, known.shot.id))


async def select_overdue(conn: Connection, as_of: int) -> dict[UUID, Span]:
    """The targets with shots in flight whose time is up, and when those were released."""
    return _spans(await conn.fetch(SHOT_SELECT_OVERDUE, instant(as_of)))


async def select_unsettled(
    conn: Connection, target_ids: Collection[UUID], as_of: int
) -> dict[UUID, Span]:
    """Which of these targets have shots that a sign of life can decide, and when those were
    released."""
    return _spans(await conn.fetch(SHOT_SELECT_UNSETTLED, list(target_ids), instant(as_of)))


async def select_fates(conn: Connection, ids: Collection[UUID]) -> dict[UUID, Fate]:
    """What became of some shots, as far as they are stored."""
    rows = await conn.fetch(SHOT_SELECT_FATES, list(ids))
    return {
        row["id"]: Fate(row["target_id"], Status(row["status"]), row["is_settled"]) for row in rows
    }


async def select_forsaken(conn: Connection, heard_before: int) -> dict[UUID, Span]:
    """The targets with misses that were presumed of readers of whom none is online any more, and
    when those were released.

    Args:
        conn: Where to read.
        heard_before: Who was heard last before this time is offline, microseconds.
    """
    return _spans(await conn.fetch(SHOT_SELECT_FORSAKEN, instant(heard_before)))


async def select_holders(conn: Connection, target_ids: Collection[UUID]) -> set[UUID]:
    """Other targets of which shots have landings that are these targets' now."""
    rows = await conn.fetch(SHOT_SELECT_HOLDERS, list(target_ids))
    return {row["target_id"] for row in rows}


def is_landing_held(error: BaseException) -> bool:
    """Whether a shot was to be given a landing that another one has."""
    is_unique = isinstance(error, UniqueViolationError)
    return is_unique and getattr(error, "constraint_name", None) == LANDING_KEY


def _spans(rows: Sequence[Record]) -> dict[UUID, Span]:
    return {
        row["target_id"]: Span(microseconds(row["begins"]), microseconds(row["ends"]))
        for row in rows
    }


async def select_unscored(conn: Connection, target_id: UUID) -> list[StoredShot]:
    """A target's shots that landed and have no score."""
    rows = await conn.fetch(SHOT_SELECT_UNSCORED, target_id)
    return [stored(row) for row in rows]
