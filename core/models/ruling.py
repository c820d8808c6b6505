"""Rulings: written once, taken back at most, never deleted."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from asyncpg import Record

from core.domain.rulings import Action, Worth
from core.domain.window import Span
from core.errors import NotFoundError
from core.models.instants import FIRST, LAST, instant
from core.postgres import Connection
from core.schema.page import Position
from core.schema.ruling import Judge, Ruling, Undone
from core.schema.shot import Shot

# The time of the statement, not of its transaction: who waited for another's ruling ruled later.
RULING_INSERT = """
INSERT INTO ruling (
    id, session_id, target_id, action, shot_id, landing_event_id, slot_id, other_slot_id,
    score, label, is_x, begins, ends, reason, token_id, made_by, made_at, request_id, before
)
VALUES (
    $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15,
    coalesce((SELECT name FROM token WHERE id = $15), 'admin'), clock_timestamp(), $16, $17
)
RETURNING *
"""

RULING_SELECT = "SELECT * FROM ruling WHERE id = $1"

RULING_SELECT_PAGE = """
SELECT * FROM ruling
WHERE session_id = $1 AND (made_at, id) > ($2, $3)
    AND ($5::uuid IS NULL OR shot_id = $5)
    AND ($6::boolean IS NULL OR (undone_at IS NULL) = $6)
ORDER BY made_at, id
LIMIT $4
"""

RULING_UNDO = """
UPDATE ruling SET
    undone_at = clock_timestamp(), undone_token_id = $2, undo_reason = $3, undo_request_id = $4,
    undone_by = coalesce((SELECT name FROM token WHERE id = $2), 'admin'), is_pending = true
WHERE id = $1
RETURNING *
"""

RULING_UNDO_BY_RESTORE = """
UPDATE ruling SET
    undone_at = restore.made_at, undone_token_id = restore.token_id, undone_by = restore.made_by,
    undo_reason = restore.reason, undo_request_id = restore.request_id, restore_id = restore.id,
    is_pending = true
FROM ruling AS restore
WHERE restore.id = $1 AND ruling.shot_id = restore.shot_id AND ruling.undone_at IS NULL
    AND ruling.action <> 'restore'
"""

RULING_REVIVE = """
UPDATE ruling SET
    undone_at = NULL, undone_token_id = NULL, undone_by = NULL, undo_reason = NULL,
    undo_request_id = NULL, restore_id = NULL, is_pending = true
WHERE restore_id = $1
"""


@dataclass(frozen=True, slots=True)
class Author:
    """Who rules.

    Args:
        token_id: Their token; None: the one of the environment.
        request_id: The request in which they do.
    """

    token_id: UUID | None
    request_id: UUID


@dataclass(frozen=True, slots=True)
class NewRuling:
    """A ruling that is to be kept; which of the rest is there depends on the action.

    Args:
        session_id: The session.
        target_id: The butt that it is about.
        action: What.
        reason: Why.
        span: When what it touches happened; of a swap: the releases.
        before: The shots that it touches.
        shot_id: The shot.
        landing_event_id: The landing.
        slot_id: Whose a shot is, or one of two places.
        other_slot_id: The other of two places.
        worth: What a shot counts.
    """

    session_id: UUID
    target_id: UUID
    action: Action
    reason: str
    span: Span
    before: Sequence[Shot] = ()
    shot_id: UUID | None = None
    landing_event_id: UUID | None = None
    slot_id: UUID | None = None
    other_slot_id: UUID | None = None
    worth: Worth | None = None


async def insert_ruling(conn: Connection, new: NewRuling, author: Author) -> Ruling:
    """Keep a ruling.

    Args:
        conn: In the transaction that locked the target, and asks for its shots to be derived.
        new: What is said.
        author: Who says it.
    """
    worth = new.worth
    row = await conn.fetchrow(
        RULING_INSERT,
        *(uuid4(), new.session_id, new.target_id, new.action),
        *(new.shot_id, new.landing_event_id, new.slot_id, new.other_slot_id),
        *((worth.score, worth.label, worth.is_x) if worth else (None, None, None)),
        *(instant(new.span.begin), instant(new.span.end), new.reason),
        *(author.token_id, author.request_id),
        [shot.model_dump(mode="json") for shot in new.before],
    )
    assert row is not None
    return _shown(row)


async def select_ruling(conn: Connection, ruling_id: UUID) -> Ruling:
    """A ruling.

    Raises:
        NotFoundError: None has this id.
    """
    row = await conn.fetchrow(RULING_SELECT, ruling_id)
    if row is None:
        raise NotFoundError("ruling", ruling_id)
    return _shown(row)


async def select_rulings(
    conn: Connection,
    session_id: UUID,
    after: Position,
    limit: int,
    *,
    shot_id: UUID | None = None,
    stands: bool | None = None,
) -> list[Ruling]:
    """A session's rulings in the order in which they were made, one more than `limit` where there
    are more.

    Args:
        conn: Where to ask.
        session_id: The session.
        after: The last ruling that is not wanted again.
        limit: How many.
        shot_id: Only those on this shot.
        stands: Only those that stand, or only those that were taken back.
    """
    rows = await conn.fetch(
        RULING_SELECT_PAGE, session_id, after.at, after.id, limit + 1, shot_id, stands
    )
    return [_shown(row) for row in rows]


async def undo_ruling(conn: Connection, ruling_id: UUID, reason: str, author: Author) -> Ruling:
    """Take a ruling back; what a restore had taken back stands again.

    Args:
        conn: In the transaction that locked the target, and asks for its shots to be derived.
        ruling_id: Which; it stands.
        reason: Why.
        author: Who takes it back.
    """
    row = await conn.fetchrow(RULING_UNDO, ruling_id, author.token_id, reason, author.request_id)
    assert row is not None
    await conn.execute(RULING_REVIVE, ruling_id)
    return _shown(row)


async def undo_by_restore(conn: Connection, restore_id: UUID) -> None:
    """Take back every ruling on the shot of a restore, in its name."""
    await conn.execute(RULING_UNDO_BY_RESTORE, restore_id)


def _shown(row: Record) -> Ruling:
    is_swap = row["action"] == Action.SWAP
    return Ruling(
        id=row["id"],
        session_id=row["session_id"],
        target_id=row["target_id"],
        action=Action(row["action"]),
        shot_id=row["shot_id"],
        landing_event_id=row["landing_event_id"],
        slot_id=None if is_swap else row["slot_id"],
        slot_ids=[row["slot_id"], row["other_slot_id"]] if is_swap else None,
        score=row["score"],
        label=row["label"],
        is_x=row["is_x"],
        since=_bound(row["begins"]) if is_swap else None,
        until=_bound(row["ends"]) if is_swap else None,
        reason=row["reason"],
        made_by=Judge(token_id=row["token_id"], name=row["made_by"]),
        made_at=row["made_at"],
        request_id=row["request_id"],
        before=row["before"],
        after=row["after"],
        undone=None if row["undone_at"] is None else _undone(row),
    )


def _bound(at: datetime) -> datetime | None:
    return None if at in (FIRST, LAST) else at


def _undone(row: Record) -> Undone:
    return Undone(
        by=Judge(token_id=row["undone_token_id"], name=row["undone_by"]),
        at=row["undone_at"],
        reason=row["undo_reason"],
        restore_id=row["restore_id"],
    )
