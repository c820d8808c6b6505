"""Rulings that stand, as correlation takes them: those of some butts, in one read."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from asyncpg import Record

from core.domain.rulings import Action, Ruling, Worth
from core.domain.values import Event, EventType, Slot
from core.domain.window import Span
from core.models.instants import microseconds, optional_microseconds
from core.postgres import Connection

# Besides the butts' own: those that give a place at one of them what was shot at another.
RULING_SELECT_IN_FORCE = """
WITH mine AS (
    SELECT id FROM ruling WHERE target_id = ANY ($1) AND (undone_at IS NULL OR is_pending)
    UNION
    SELECT ruling.id FROM slot
    JOIN ruling ON ruling.slot_id = slot.id AND (ruling.undone_at IS NULL OR ruling.is_pending)
    WHERE slot.target_id = ANY ($1) AND ruling.target_id <> slot.target_id
)
SELECT ruling.id, ruling.target_id, ruling.action, ruling.shot_id, ruling.landing_event_id,
    ruling.score, ruling.label, ruling.is_x, ruling.begins, ruling.ends, ruling.made_at,
    coalesce(ruling.undo_request_id, ruling.request_id) AS request_id, ruling.is_pending,
    ruling.undone_at, ruling.after IS NOT NULL AS was_applied,
    CASE WHEN ruling.is_pending THEN ruling.before END AS before,
    event.type, event.occurred_at, event.received_at, event.arrow_id, event.x, event.y,
    event.sigma_mm, event.reader_id,
    ruling.slot_id, slot.archer_id, slot.letter, slot.bowstyle, slot.shaft_diameter_mm,
    slot.target_id AS home_id,
    ruling.other_slot_id, other.archer_id AS other_archer_id, other.letter AS other_letter,
    other.bowstyle AS other_bowstyle, other.shaft_diameter_mm AS other_shaft_diameter_mm
FROM mine
JOIN ruling ON ruling.id = mine.id AND (ruling.action <> 'restore' OR ruling.is_pending)
LEFT JOIN event ON event.event_id = ruling.landing_event_id
LEFT JOIN slot ON slot.id = ruling.slot_id
LEFT JOIN slot AS other ON other.id = ruling.other_slot_id
"""

RULING_SELECT_FIXED = """
SELECT DISTINCT shot_id FROM ruling
WHERE shot_id = ANY ($1) AND action = 'score' AND undone_at IS NULL
"""

SLOT_LOCK_SHARED = """
SELECT id FROM slot WHERE id = ANY ($1) ORDER BY id FOR NO KEY UPDATE
"""

# Not when it was taken back meanwhile: then shots must be derived once more. An array of lists
# would be taken for one of more dimensions, so the shots come as one object. What a ruling did is
# noted once, also of one that was taken back before shots were derived with it.
RULING_UPDATE_APPLIED = """
UPDATE ruling SET is_pending = false,
    before = CASE WHEN ruling.after IS NULL THEN coalesce($3::jsonb -> id::text, ruling.before)
        ELSE ruling.before END,
    after = coalesce(ruling.after, $4::jsonb -> id::text)
FROM unnest($1::uuid[], $2::boolean[]) AS applied (ruling_id, stands)
WHERE id = applied.ruling_id AND (undone_at IS NULL) = applied.stands
"""

# Shots as viewers see them.
type Shown = Sequence[Mapping[str, object]]


@dataclass(frozen=True, slots=True)
class RulingInForce:
    """A ruling that stands, or that was taken back and whose shots were not derived since.

    Args:
        ruling: What it says.
        target_id: The butt that it is about.
        span: When what it touches happened.
        request_id: The request that made it, or took it back.
        stands: Whether it was not taken back.
        is_pending: Whether shots must still be derived with it, or without it.
        was_applied: Whether it is known what it did.
        shot_ids: Of a pending one: the shots that it touches.
        home_id: Of one that names a place: the butt of that place.
    """

    ruling: Ruling
    target_id: UUID
    span: Span
    request_id: UUID | None
    stands: bool
    is_pending: bool
    was_applied: bool
    shot_ids: tuple[UUID, ...]
    home_id: UUID | None


async def select_in_force(conn: Connection, target_ids: Collection[UUID]) -> list[RulingInForce]:
    """The rulings on these butts, and those that give a place at one of them what was shot at
    another."""
    return [_in_force(row) for row in await conn.fetch(RULING_SELECT_IN_FORCE, list(target_ids))]


def _in_force(row: Record) -> RulingInForce:
    ruling = Ruling(
        id=row["id"],
        made_at=microseconds(row["made_at"]),
        action=Action(row["action"]),
        shot_id=row["shot_id"],
        landing=None if row["landing_event_id"] is None else _landing(row),
        slot=None if row["slot_id"] is None else _slot(row),
        other_slot=None if row["other_slot_id"] is None else _slot(row, "other_"),
        worth=None if row["score"] is None else Worth(row["score"], row["label"], row["is_x"]),
        since=microseconds(row["begins"]),
        until=microseconds(row["ends"]),
        undone_at=optional_microseconds(row["undone_at"]),
    )
    touched = [UUID(shot["id"]) for shot in row["before"] or ()]
    if ruling.shot_id is not None and ruling.shot_id not in touched:
        touched.append(ruling.shot_id)
    return RulingInForce(
        ruling=ruling,
        target_id=row["target_id"],
        span=Span(ruling.since, ruling.until),
        request_id=row["request_id"],
        stands=ruling.undone_at is None,
        is_pending=row["is_pending"],
        was_applied=row["was_applied"],
        shot_ids=tuple(touched),
        home_id=row["home_id"],
    )


def _landing(row: Record) -> Event:
    return Event(
        id=row["landing_event_id"],
        type=EventType(row["type"]),
        at=microseconds(row["occurred_at"]),
        received_at=microseconds(row["received_at"]),
        arrow_id=row["arrow_id"],
        x=row["x"],
        y=row["y"],
        sigma_mm=row["sigma_mm"],
        reader_id=row["reader_id"],
    )


def _slot(row: Record, prefix: str = "") -> Slot:
    return Slot(
        id=row[f"{prefix}slot_id"],
        archer_id=row[f"{prefix}archer_id"],
        letter=row[f"{prefix}letter"],
        bowstyle=row[f"{prefix}bowstyle"],
        shaft_diameter_mm=row[f"{prefix}shaft_diameter_mm"],
    )


async def select_fixed(conn: Connection, shot_ids: Collection[UUID]) -> set[UUID]:
    """Those of the shots of which a judge said what they count: no rule about ends changes that."""
    rows = await conn.fetch(RULING_SELECT_FIXED, list(shot_ids))
    return {row["shot_id"] for row in rows}


async def lock_shared_slots(conn: Connection, slot_ids: Collection[UUID]) -> None:
    """Wait for whoever derives at another butt what these places have shot: their sums are made of
    the shots of several partitions."""
    await conn.execute(SLOT_LOCK_SHARED, list(slot_ids))


async def note_applied(
    conn: Connection,
    applied: Sequence[RulingInForce],
    did: Mapping[UUID, tuple[Shown, Shown]],
) -> None:
    """Note that shots were derived with these rulings, or without those that were taken back.

    Args:
        conn: In the transaction that wrote the shots.
        applied: The rulings as they were when the shots were derived.
        did: The shots that each touches, without it and with it, by the ruling's id; kept of those
            of which that was not known.
    """
    await conn.execute(
        RULING_UPDATE_APPLIED,
        [each.ruling.id for each in applied],
        [each.stands for each in applied],
        {str(ruling_id): before for ruling_id, (before, _) in did.items()},
        {str(ruling_id): after for ruling_id, (_, after) in did.items()},
    )
