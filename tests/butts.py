"""A small session in the database, and shots in it, for tests of what reads them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from core.postgres import Connection

BEGIN = datetime(2026, 5, 1, 10, tzinfo=UTC)

SESSION_INSERT = """
INSERT INTO session (id, name, location, kind, is_indoor, distance, results_public, rules, start_time)
VALUES ($1, 'Club evening', 'range A', 'practice', false, 70, $2, '{}'::jsonb, $3)
"""

TARGET_INSERT = """
INSERT INTO target (id, session_id, lane, width_mm, height_mm) VALUES ($1, $2, $3, 1300, 1300)
"""

ARCHER_INSERT = "INSERT INTO archer (id, given_name, family_name) VALUES ($1, $2, 'Ruiz')"

SLOT_INSERT = """
INSERT INTO slot (id, session_id, target_id, letter, archer_id, bowstyle, shaft_diameter_mm)
VALUES ($1, $2, $3, $4, $5, 'recurve', 5.5)
"""

READER_INSERT = "INSERT INTO reader (id, kind, name) VALUES ($1, 'bow', 'a bow')"

EVENT_INSERT = """
INSERT INTO event (event_id, reader_id, type, ts, received_at, offset_ms, occurred_at, x, y)
VALUES ($1, $2, $3, $4, $4, 0, $4, $5, $6)
"""

SHOT_INSERT = """
INSERT INTO shot (
    id, session_id, target_id, slot_id, archer_id, release_event_id, landing_event_id,
    release_time, landing_time, deadline, x, y, status, score, label, is_settled, version
)
SELECT $1, slot.session_id, slot.target_id, slot.id, slot.archer_id, $3, $4,
    $5, $6, $5, $7, $7, $8, $9, $10, true, 1
FROM slot WHERE slot.id = $2
"""

STANDING_INSERT = """
INSERT INTO standing (
    slot_id, session_id, total, arrows, xs, elevens, tens, nines, sixes, fives, changed_at
)
SELECT slot.id, slot.session_id, $2, $3, $4, 0, $5, 0, 0, 0, now() FROM slot WHERE slot.id = $1
"""


@dataclass(frozen=True, slots=True)
class Butts:
    """A session with a target a lane and a slot a letter.

    Args:
        session_id: The session.
        target_ids: In the order of their lanes, from 1.
        slot_ids: In the order of lane and letter.
        reader_id: Whose word the shots go back to.
    """

    session_id: UUID
    target_ids: Sequence[UUID]
    slot_ids: Sequence[UUID]
    reader_id: UUID


async def set_up(
    conn: Connection, *, lanes: int = 2, letters: str = "AB", results_public: bool = True
) -> Butts:
    """A session without shots."""
    butts = Butts(
        uuid4(),
        [uuid4() for _ in range(lanes)],
        [uuid4() for _ in range(lanes * len(letters))],
        uuid4(),
    )
    await conn.execute(SESSION_INSERT, butts.session_id, results_public, BEGIN)
    await conn.execute(READER_INSERT, butts.reader_id)
    places = [(target, letter) for target in butts.target_ids for letter in letters]
    for lane, target_id in enumerate(butts.target_ids, 1):
        await conn.execute(TARGET_INSERT, target_id, butts.session_id, lane)
    for slot_id, (target_id, letter) in zip(butts.slot_ids, places, strict=True):
        archer_id = uuid4()
        await conn.execute(ARCHER_INSERT, archer_id, f"Ana {letter}")
        await conn.execute(SLOT_INSERT, slot_id, butts.session_id, target_id, letter, archer_id)
    return butts


async def add_shot(
    conn: Connection, butts: Butts, slot: int, second: int, score: int | None = None
) -> UUID:
    """A shot of a slot, released so many seconds after the beginning.

    Args:
        conn: Where to.
        butts: Whose session.
        slot: The slot's number in `butts.slot_ids`.
        second: When.
        score: What it hit; None: it is still in the air.
    """
    shot_id, release_id, at = uuid4(), uuid4(), BEGIN + timedelta(seconds=second)
    reader_id, landing_id, landing_at, mm = butts.reader_id, None, None, None
    await conn.execute(EVENT_INSERT, release_id, reader_id, "arrow_release", at, None, None)
    if score is not None:
        landing_id, landing_at, mm = uuid4(), at + timedelta(seconds=1), 1.5
        await conn.execute(EVENT_INSERT, landing_id, reader_id, "arrow_landed", landing_at, mm, mm)
    await conn.execute(
        SHOT_INSERT,
        *(shot_id, butts.slot_ids[slot], release_id, landing_id, at, landing_at, mm),
        *("in_flight" if score is None else "landed", score, None if score is None else str(score)),
    )
    return shot_id


async def set_standing(
    conn: Connection, slot_id: UUID, *, total: int, arrows: int, xs: int = 0, tens: int = 0
) -> None:
    """What a slot has shot, as a worker would sum it up."""
    await conn.execute(STANDING_INSERT, slot_id, total, arrows, xs, tens)
