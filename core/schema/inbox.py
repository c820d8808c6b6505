"""What the API leaves in the inbox for a worker: already checked, times in microseconds."""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Annotated
from uuid import UUID

import asyncpg.pgproto.pgproto
import orjson
from pydantic import PlainValidator, TypeAdapter

from core.domain.values import EventType
from core.schema.types import EARLIEST, LATEST


def _key(text: object) -> UUID:
    if not isinstance(text, str):
        raise ValueError("must be an id, as text")
    key: UUID = asyncpg.pgproto.pgproto.UUID(text)
    return key


# One for all that a reader says.
_READERS = lru_cache(maxsize=16_384)(_key)


def _reader(text: object) -> UUID:
    # What is no text may have no hash.
    return _READERS(text) if isinstance(text, str) else _key(text)


# Of the same kind as what comes from the database, and equal to any other: it is read in a tenth of
# the time and knows its hash, and events are looked up by their ids again and again.
type Key = Annotated[UUID, PlainValidator(_key)]
type ReaderKey = Annotated[UUID, PlainValidator(_reader)]


@dataclass(frozen=True, slots=True)
class AcceptedEvent:
    """An event of a reader.

    Args:
        event_id: Its idempotency key.
        reader_id: Who said it.
        type: What happened.
        ts: When, by the reader's clock.
        sent_at: When it left the reader, by the reader's clock.
        received_at: When it came, by the server's clock.
        arrow_id: The arrow, where the reader knows it.
        x: Millimetres right of the butt's centre.
        y: Millimetres above the butt's centre.
        sigma_mm: The reader's uncertainty of both.
        request_id: The request that brought it.
        by_gateway: Whether `sent_at` is by the clock of a gateway that relays the reader.
        offset: Microseconds to be added to `ts`; None: a worker has yet to find it.
        is_echo: Whether it was done already, and comes once more to say that its reader lives.
    """

    event_id: Key
    reader_id: ReaderKey
    type: EventType
    ts: int
    sent_at: int | None
    received_at: int
    arrow_id: Key | None
    x: float | None
    y: float | None
    sigma_mm: float | None
    request_id: Key | None
    by_gateway: bool = False
    offset: int | None = None
    is_echo: bool = False

    @property
    def at(self) -> int:
        """When it happened, by the server's clock as far as the offset is known."""
        return self.ts + (self.offset or 0)

    def corrected(self, offset: int) -> "AcceptedEvent":
        """The event with its offset."""
        # As `replace` does, in half of the time.
        return AcceptedEvent(
            self.event_id,
            self.reader_id,
            self.type,
            self.ts,
            self.sent_at,
            self.received_at,
            self.arrow_id,
            self.x,
            self.y,
            self.sigma_mm,
            self.request_id,
            self.by_gateway,
            offset,
            self.is_echo,
        )


@dataclass(frozen=True, slots=True)
class AcceptedBeat:
    """A reader's heartbeat.

    Args:
        reader_id: Who lives.
        received_at: When it came, by the server's clock.
        sent_at: When it left the reader, by the reader's clock.
        started_at: When the reader was switched on, by its own clock.
        buffered: Events it still has to send.
        battery_pct: What its battery holds.
        firmware: What runs on it.
        request_id: The request that brought it.
        by_gateway: Whether `sent_at` is by the clock of a gateway that relays the reader.
        offset: Microseconds to be added to `started_at`; None: a worker has yet to find it.
    """

    reader_id: ReaderKey
    received_at: int
    sent_at: int | None
    started_at: int | None
    buffered: int | None
    battery_pct: float | None
    firmware: str | None
    request_id: Key | None
    by_gateway: bool = False
    offset: int | None = None

    def corrected(self, offset: int) -> "AcceptedBeat":
        """The heartbeat with its offset."""
        return replace(self, offset=offset)


type Accepted = AcceptedEvent | AcceptedBeat

# Microseconds since the epoch, between which every time lies that the API accepts.
_EARLIEST, _LATEST = (round(at.timestamp() * 1_000_000) for at in (EARLIEST, LATEST))

_EVENT: TypeAdapter[AcceptedEvent] = TypeAdapter(AcceptedEvent)
_BEAT: TypeAdapter[AcceptedBeat] = TypeAdapter(AcceptedBeat)


def encode(accepted: Accepted) -> bytes:
    """As it is kept in the inbox."""
    # Ids that come from the database are of a kind of their own.
    return orjson.dumps(accepted, default=str)


# What came late is read twice: to find what belongs together, and when that is done. So many are
# under way at once: all lanes that a worker is at.
@lru_cache(maxsize=4096)
def decode(payload: bytes) -> Accepted:
    """What `encode` wrote.

    Raises:
        ValueError: It is nothing that the API accepted.
    """
    fields = orjson.loads(payload)
    adapter = _EVENT if isinstance(fields, dict) and "event_id" in fields else _BEAT
    accepted: Accepted = adapter.validate_python(fields)
    if not all(_EARLIEST <= at <= _LATEST for at in _times(accepted) if at is not None):
        raise ValueError("a time does not lie between the years 1970 and 2200")
    return accepted


def _times(accepted: Accepted) -> tuple[int | None, ...]:
    times = (accepted.received_at, accepted.sent_at)
    if isinstance(accepted, AcceptedBeat):
        return (*times, accepted.started_at)
    return (*times, accepted.ts, accepted.at)
