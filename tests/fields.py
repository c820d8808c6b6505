"""A session with its field in the database, and what its readers say, for tests of what workers
do."""

import time
from collections.abc import Mapping
from copy import replace
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from core.domain.values import EventType
from core.models.instants import microseconds
from core.models.session import SESSIONS
from core.models.start_list import set_up
from core.postgres import Connection
from core.schema.inbox import Accepted, AcceptedBeat, AcceptedEvent
from core.schema.session import SessionCreate
from core.schema.start_list import StartList

FACE = {"face_type": "wa_122_full", "x": 0, "y": 0, "letter": None}


@dataclass(frozen=True, slots=True)
class Field:
    """A field that stands since an hour ago.

    Args:
        session_id: Its session.
        starts_at: The session's start, microseconds.
        targets: Target ids by lane.
        slots: Slot ids by place, such as `1A`.
        readers: Reader ids by name, such as `1A bow` or `1 target`.
    """

    session_id: UUID
    starts_at: int
    targets: Mapping[int, UUID]
    slots: Mapping[str, UUID]
    readers: Mapping[str, UUID]

    def event(
        self,
        reader: str,
        kind: EventType,
        at: float,
        *,
        x: float | None = None,
        y: float | None = None,
        request_id: UUID | None = None,
    ) -> AcceptedEvent:
        """What a reader says happened `at` seconds after the session's start."""
        return AcceptedEvent(
            event_id=uuid4(),
            reader_id=self.readers[reader],
            type=kind,
            ts=self.starts_at + round(at * 1_000_000),
            sent_at=None,
            received_at=now(),
            arrow_id=None,
            x=x,
            y=y,
            sigma_mm=None,
            request_id=request_id,
        )

    def release(self, at: float, place: str = "1A") -> AcceptedEvent:
        """An arrow leaves."""
        return self.event(f"{place} bow", EventType.RELEASE, at)

    def landed(self, at: float, lane: int = 1, x: float = 0.0, y: float = 0.0) -> AcceptedEvent:
        """An arrow lands."""
        return self.event(f"{lane} target", EventType.LANDED, at, x=x, y=y)

    def beat(
        self, reader: str = "1 target", *, started: float | None = None, buffered: int | None = None
    ) -> AcceptedBeat:
        """A sign of life; `started` is seconds after the session's start."""
        since = None if started is None else self.starts_at + round(started * 1_000_000)
        return AcceptedBeat(self.readers[reader], now(), None, since, buffered, None, None, None)


def as_if_received_then(event: AcceptedEvent) -> AcceptedEvent:
    """The event as if it had been received as it happened: nobody waits any more for what belongs
    to it."""
    return replace(event, received_at=event.ts)


def now() -> int:
    """Microseconds since the epoch."""
    return time.time_ns() // 1_000


async def put_up(
    conn: Connection,
    *,
    lanes: int = 1,
    letters: str = "A",
    rules: Mapping[str, int | str] | None = None,
    faces: bool = True,
    since: timedelta = timedelta(hours=1),
) -> Field:
    """A field with archers at each lane, at 18 m."""
    starts_at = datetime.now(UTC) - since
    wish = SessionCreate.model_validate(
        {
            "is_opened": True,
            "start_time": starts_at,
            "location": "range A",
            "is_indoor": False,
            "distance": 18,
            "rules": dict(rules or {}),
        }
    )
    entry = {"given_name": "Ana", "family_name": "Ruiz", "bowstyle": "recurve"}
    entries = [
        {**entry, "lane": lane, "letter": letter, "shaft_diameter_mm": 5.5}
        for lane in range(1, lanes + 1)
        for letter in letters
    ]
    start_list = StartList.model_validate({"faces": [FACE] if faces else [], "entries": entries})
    async with conn.transaction():
        session = await SESSIONS.create(conn, uuid4(), wish.model_dump())
        made = await set_up(conn, session, start_list)
    readers = {f"{target.lane} target": target.reader_id for target in made.targets}
    for slot in made.slots:
        readers[f"{slot.lane}{slot.letter} bow"] = slot.bow_reader_id
        readers[f"{slot.lane}{slot.letter} arrow"] = slot.arrow_reader_id
    return Field(
        session.id,
        microseconds(session.start_time),
        {target.lane: target.id for target in made.targets},
        {f"{slot.lane}{slot.letter}": slot.id for slot in made.slots},
        readers,
    )


def target_of(field: Field, accepted: Accepted) -> UUID:
    """The target whose partition an event goes to."""
    name = next(n for n, reader in field.readers.items() if reader == accepted.reader_id)
    lane = int(name.split(" ")[0].rstrip("ABCDEFGH"))
    return field.targets[lane]
