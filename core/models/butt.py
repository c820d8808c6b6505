"""Butts as correlation needs them: session, faces, slots and readers in one read for many
targets."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from uuid import UUID

from asyncpg import Record
from msgspec import Struct

from core.domain.ends import EndRules
from core.domain.rulings import NO_VERDICTS, Verdicts
from core.domain.scoring import Face, LineRule
from core.domain.values import MILLISECOND, Boot, Butt, Rules, Slot, Watch
from core.domain.window import Span
from core.models.end_rules import end_rules_of, select_opened_ends
from core.models.instants import FIRST, instant, microseconds, optional_microseconds
from core.models.presence import is_unsaid
from core.models.shared import shared
from core.postgres import Connection

# All of a butt in one read: what belongs to it comes as lists of rows. To be told the turns. Of its
# readers' starts those count that were since they came there, and of which anything was said since:
# readers are switched on every day for years.
BUTT_SELECT = """
SELECT target.id, target.session_id, coalesce(target.distance, session.distance) AS distance,
    session.start_time, session.end_time, session.rules,
    ARRAY(
        SELECT ROW(id, face_type, x, y, letter) FROM face
        WHERE target_id = target.id ORDER BY position
    ) AS faces,
    ARRAY(
        SELECT ROW(id, archer_id, letter, bowstyle, shaft_diameter_mm) FROM slot
        WHERE target_id = target.id
    ) AS slots,
    ARRAY(
        SELECT ROW(
            binding.valid_from, binding.valid_to, status.last_heard_at, status.buffered,
            ARRAY(
                SELECT ROW(started_at, clear_at, event_clear_at) FROM (
                    SELECT * FROM reader_boot
                    WHERE reader_id = binding.reader_id AND (
                        started_at >= binding.valid_from
                        OR told_on >= (binding.valid_from AT TIME ZONE 'UTC')::date
                    )
                    OFFSET 0
                ) AS boot
                ORDER BY said_started_at
            )
        )
        FROM reader_binding AS binding
        JOIN reader ON reader.id = binding.reader_id AND reader.kind = 'target'
        LEFT JOIN reader_status AS status ON status.reader_id = binding.reader_id
        WHERE binding.target_id = target.id
        ORDER BY binding.reader_id, binding.valid_from
    ) AS watches,
    EXISTS (
        SELECT FROM ruling
        WHERE ruling.target_id = target.id AND (undone_at IS NULL OR is_pending)
    ) OR EXISTS (
        SELECT FROM slot
        JOIN ruling ON ruling.slot_id = slot.id AND (ruling.undone_at IS NULL OR ruling.is_pending)
        WHERE slot.target_id = target.id
    ) AS has_rulings,
    (SELECT max(release_time) FROM shot WHERE target_id = target.id) AS last_release,
    (
        SELECT ROW(min(release_time), max(release_time)) FROM shot
        WHERE target_id = target.id AND NOT is_settled AND status <> 'voided' AND deadline <= $2
    ) AS unsettled,
    coalesce((SELECT turn FROM known_turn WHERE target_id = target.id), 0) AS turn,
    (
        SELECT coalesce(sum(hash_record_extended(binding, 0)), 0)::text
        FROM reader_binding AS binding WHERE target_id = target.id
    ) AS bindings
FROM target JOIN session ON session.id = target.session_id
WHERE target.id = ANY ($1)
"""

BUTT_KNOW_TURN = """
WITH known_turn AS (SELECT target_id, turn FROM butt_turn WHERE target_id = ANY ($1))
"""
# What is read after it in the same statement is as it was before, but for the turn: whoever had to
# wait for it is told the one that the other took.
BUTT_TAKE_TURN = """
WITH known_turn AS (
    INSERT INTO butt_turn AS kept (target_id, turn)
    SELECT id, 1 FROM target WHERE id = ANY ($1) ORDER BY id
    ON CONFLICT (target_id) DO UPDATE SET turn = kept.turn + 1
    RETURNING target_id, turn - 1 AS turn
)
"""

BUTT_ARROW_SELECT = """
SELECT id, archer_id FROM arrow WHERE id = ANY ($1)
"""


class PlacedButt(Struct, frozen=True):
    """A butt and the session it stands in.

    Args:
        target_id: The butt's id.
        session_id: Its session.
        end_rules: The session's rules about ends; None: none applies.
        butt: What correlation needs; its arrow owners are still to be filled in.
        has_rulings: Whether judges ruled anything that its shots depend on.
        last_release: When the latest of its shots was released, microseconds; None: it has none.
        unsettled: When those were released that a sign of life can decide; None: there are none,
            or nobody is going to write them.
        turn: How often its events and shots were written.
        bindings: Tells which readers were ever bound there, and when: what differs is another text.
        verdicts: What judges ruled; still to be filled in.
    """

    target_id: UUID
    session_id: UUID
    end_rules: EndRules | None
    butt: Butt
    has_rulings: bool
    last_release: int | None
    unsettled: Span | None = None
    turn: int = 0
    bindings: str = ""
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
    rows = await conn.fetch(BUTT_KNOW_TURN + BUTT_SELECT, sorted(target_ids), FIRST)
    return await _placed(conn, rows, offline_after)


async def take_butts(
    conn: Connection, target_ids: Collection[UUID], offline_after: int, as_of: int
) -> dict[UUID, PlacedButt]:
    """As `select_butts`, for whoever is going to write their events or shots.

    Args:
        conn: In the transaction that does, with the targets' partition locked.
        target_ids: Which.
        offline_after: Microseconds of silence after which a reader is offline.
        as_of: Now, microseconds: a sign of life decides shots whose time was up before.

    Returns:
        The butts as they were before this turn.
    """
    rows = await conn.fetch(BUTT_TAKE_TURN + BUTT_SELECT, sorted(target_ids), instant(as_of))
    return await _placed(conn, rows, offline_after)


async def take_turns(conn: Connection, target_ids: Collection[UUID]) -> None:
    """Say that events of these butts are stored without their shots; ids of no target are left
    out."""
    await conn.execute(BUTT_TAKE_TURN + "SELECT", sorted(target_ids))


async def _placed(
    conn: Connection, rows: Sequence[Record], offline_after: int
) -> dict[UUID, PlacedButt]:
    found: dict[UUID, PlacedButt] = {}
    opened = await select_opened_ends(conn, {row["session_id"]: row["rules"] for row in rows})
    for row in rows:
        butt = Butt(
            distance_m=row["distance"],
            faces=tuple(_face(*face) for face in row["faces"]),
            slots={slot.id: slot for slot in (_slot(*values) for values in row["slots"])},
            arrow_owners={},
            watches=tuple(map(_watch, row["watches"])),
            opens_at=microseconds(row["start_time"]),
            closes_at=optional_microseconds(row["end_time"]),
            rules=rules_of(row["rules"]),
            offline_after=offline_after,
        )
        found[row["id"]] = PlacedButt(
            target_id=shared(row["id"]),
            session_id=shared(row["session_id"]),
            end_rules=end_rules_of(row["rules"], opened.get(row["session_id"], ())),
            butt=butt,
            has_rulings=row["has_rulings"],
            last_release=optional_microseconds(row["last_release"]),
            unsettled=_unsettled(*row["unsettled"]),
            turn=row["turn"],
            bindings=row["bindings"],
        )
    return found


# With their ids they are part of every shot that is kept.
@lru_cache(maxsize=4096)
def _face(face_id: UUID, face_type: str, x: float, y: float, letter: str | None) -> Face:
    return Face(shared(face_id), face_type, x, y, letter)


@lru_cache(maxsize=4096)
def _slot(slot_id: UUID, archer_id: UUID, letter: str, bowstyle: str, shaft_mm: float) -> Slot:
    return Slot(shared(slot_id), shared(archer_id), letter, bowstyle, shaft_mm)


def _unsettled(first: datetime | None, last: datetime | None) -> Span | None:
    return None if first is None or last is None else Span(microseconds(first), microseconds(last))


async def select_arrow_owners(conn: Connection, arrow_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """The archer of each of these arrows that is registered."""
    if not arrow_ids:
        return {}
    rows = await conn.fetch(BUTT_ARROW_SELECT, list(arrow_ids))
    return {row["id"]: row["archer_id"] for row in rows}


# When a reader was started, and when it was clear: by its own word and by an event of it.
type _BootRow = tuple[datetime, datetime | None, datetime | None]
# A binding's begin and end, when its reader was last heard, what it had still to send, its boots.
type _WatchRow = tuple[datetime, datetime, datetime | None, int | None, list[_BootRow]]


def _watch(row: _WatchRow) -> Watch:
    valid_from, valid_to, last_heard_at, buffered, boots = row
    return Watch(
        bound_from=microseconds(valid_from),
        bound_to=microseconds(valid_to),
        last_heard_at=optional_microseconds(last_heard_at),
        buffered=buffered,
        boots=tuple(_boot(*boot) for boot in boots),
    )


def _boot(started_at: datetime, clear_at: datetime | None, event_clear_at: datetime | None) -> Boot:
    return Boot(
        started_at=None if is_unsaid(started_at) else microseconds(started_at),
        clear_at=optional_microseconds(clear_at),
        event_clear_at=optional_microseconds(event_clear_at),
    )
