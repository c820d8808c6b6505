"""Butts as correlation needs them: session, faces, slots and readers in a few reads for many
targets."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from asyncpg import Record

from core.domain.ends import EndRules
from core.domain.rulings import NO_VERDICTS, Verdicts
from core.domain.scoring import Face, LineRule
from core.domain.values import MILLISECOND, Boot, Butt, Rules, Slot, Watch
from core.models.end_rules import end_rules_of, select_opened_ends
from core.models.instants import microseconds, optional_microseconds
from core.models.presence import is_unsaid
from core.postgres import Connection

BUTT_TARGET_SELECT = """
SELECT target.id, target.session_id, coalesce(target.distance, session.distance) AS distance,
    session.start_time, session.end_time, session.rules
FROM target JOIN session ON session.id = target.session_id
WHERE target.id = ANY ($1)
"""

BUTT_FACE_SELECT = """
SELECT target_id, id, face_type, x, y, letter FROM face WHERE target_id = ANY ($1)
ORDER BY target_id, position
"""

BUTT_SLOT_SELECT = """
SELECT target_id, id, archer_id, letter, bowstyle, shaft_diameter_mm FROM slot
WHERE target_id = ANY ($1)
"""

BUTT_WATCH_SELECT = """
SELECT binding.target_id, binding.reader_id, binding.valid_from, binding.valid_to,
    status.last_heard_at, status.buffered, boot.started_at, boot.clear_at, boot.event_clear_at
FROM reader_binding AS binding
JOIN reader ON reader.id = binding.reader_id AND reader.kind = 'target'
LEFT JOIN reader_status AS status ON status.reader_id = binding.reader_id
LEFT JOIN reader_boot AS boot ON boot.reader_id = binding.reader_id
WHERE binding.target_id = ANY ($1)
ORDER BY binding.target_id, binding.reader_id, binding.valid_from, boot.said_started_at
"""

BUTT_ARROW_SELECT = """
SELECT id, archer_id FROM arrow WHERE id = ANY ($1)
"""


@dataclass(frozen=True, slots=True)
class PlacedButt:
    """A butt and the session it stands in.

    Args:
        target_id: The butt's id.
        session_id: Its session.
        end_rules: The session's rules about ends; None: none applies.
        butt: What correlation needs; its arrow owners are still to be filled in.
        verdicts: What judges ruled; still to be filled in.
    """

    target_id: UUID
    session_id: UUID
    end_rules: EndRules | None
    butt: Butt
    verdicts: Verdicts = NO_VERDICTS


def rules_of(stored: Mapping[str, int | str | None]) -> Rules:
    """A session's rules as the domain has them; what is left out has its default."""
    usual = Rules()

    def window(name: str, default: int) -> int:
        value = stored.get(name)
        return default if value is None else int(value) * MILLISECOND

    return Rules(
        association_window=window("association_window_ms", usual.association_window),
        hold_max=window("hold_max_ms", usual.hold_max),
        landing_window=window("landing_window_ms", usual.landing_window),
        late_grace=window("late_grace_ms", usual.late_grace),
        debounce=window("debounce_ms", usual.debounce),
        line_rule=LineRule(str(stored.get("line_rule") or usual.line_rule)),
    )


async def select_butts(
    conn: Connection, target_ids: Collection[UUID], offline_after: int
) -> dict[UUID, PlacedButt]:
    """Some butts by their targets' ids; ids of no target are left out.

    Args:
        conn: Where to read.
        target_ids: Which.
        offline_after: Microseconds of silence after which a reader is offline.
    """
    wanted = sorted(target_ids)
    faces = _grouped(await conn.fetch(BUTT_FACE_SELECT, wanted))
    slots = _grouped(await conn.fetch(BUTT_SLOT_SELECT, wanted))
    watches = _grouped(await conn.fetch(BUTT_WATCH_SELECT, wanted))
    found: dict[UUID, PlacedButt] = {}
    rows = await conn.fetch(BUTT_TARGET_SELECT, wanted)
    opened = await select_opened_ends(conn, {row["session_id"]: row["rules"] for row in rows})
    for row in rows:
        target = row["id"]
        butt = Butt(
            distance_m=row["distance"],
            faces=tuple(_face(face) for face in faces.get(target, [])),
            slots={slot["id"]: _slot(slot) for slot in slots.get(target, [])},
            arrow_owners={},
            watches=_watches(watches.get(target, [])),
            opens_at=microseconds(row["start_time"]),
            closes_at=optional_microseconds(row["end_time"]),
            rules=rules_of(row["rules"]),
            offline_after=offline_after,
        )
        end_rules = end_rules_of(row["rules"], opened.get(row["session_id"], ()))
        found[target] = PlacedButt(target, row["session_id"], end_rules, butt)
    return found


async def select_arrow_owners(conn: Connection, arrow_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """The archer of each of these arrows that is registered."""
    if not arrow_ids:
        return {}
    rows = await conn.fetch(BUTT_ARROW_SELECT, list(arrow_ids))
    return {row["id"]: row["archer_id"] for row in rows}


def _grouped(rows: Sequence[Record]) -> dict[UUID, list[Record]]:
    grouped: dict[UUID, list[Record]] = {}
    for row in rows:
        grouped.setdefault(row["target_id"], []).append(row)
    return grouped


def _face(row: Record) -> Face:
    return Face(row["id"], row["face_type"], row["x"], row["y"], row["letter"])


def _slot(row: Record) -> Slot:
    return Slot(
        row["id"], row["archer_id"], row["letter"], row["bowstyle"], row["shaft_diameter_mm"]
    )


def _watches(rows: Sequence[Record]) -> tuple[Watch, ...]:
    """A watch for each binding, from rows of one for each of its reader's boots."""
    boots: dict[tuple[UUID, int], list[Boot]] = {}
    first: dict[tuple[UUID, int], Record] = {}
    for row in rows:
        key = (row["reader_id"], microseconds(row["valid_from"]))
        first.setdefault(key, row)
        boots.setdefault(key, []).extend([] if row["started_at"] is None else [_boot(row)])
    return tuple(
        Watch(
            bound_from=key[1],
            bound_to=microseconds(row["valid_to"]),
            last_heard_at=optional_microseconds(row["last_heard_at"]),
            buffered=row["buffered"],
            boots=tuple(boots[key]),
        )
        for key, row in first.items()
    )


def _boot(row: Record) -> Boot:
    started_at = row["started_at"]
    return Boot(
        started_at=None if is_unsaid(started_at) else microseconds(started_at),
        clear_at=optional_microseconds(row["clear_at"]),
        event_clear_at=optional_microseconds(row["event_clear_at"]),
    )
