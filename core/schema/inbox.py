"""What the API leaves in the inbox for a worker: already checked, times in microseconds."""

from copy import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta, Struct

from core.domain.values import EventType
from core.schema.types import EARLIEST, LATEST

if TYPE_CHECKING:
    from uuid import UUID
else:
    # Whatever kind of id it was made with, read it is of the same kind as what comes from the
    # database, and equal to any other: it is read in a tenth of the time and knows its hash, and
    # events are looked up by their ids again and again.
    from asyncpg.pgproto.pgproto import UUID

Key = UUID

# Microseconds since the epoch, between which every time lies that the API accepts.
_EARLIEST, _LATEST = (round(at.timestamp() * 1_000_000) for at in (EARLIEST, LATEST))

type _Time = Annotated[int, Meta(ge=_EARLIEST, le=_LATEST)]


class Start(Struct, frozen=True, gc=False):
    """A start of a reader that a message of it gives away by how late it came. Times are
    microseconds.

    Args:
        said_at: When the reader says that it was, by its own clock.
        at: When it was known, by the server's.
        heard_before: As of `AcceptedBeat`.
    """

    said_at: int
    at: _Time
    heard_before: int | None


class AcceptedEvent(Struct, frozen=True, gc=False, omit_defaults=True):
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
        is_mute: Whether it is only to be kept: what it says of its reader counts elsewhere.
        start: The start that it was known by; None: by none of this reader, or it was known.
    """

    event_id: Key
    reader_id: Key
    type: EventType
    ts: _Time
    sent_at: _Time | None
    received_at: _Time
    arrow_id: Key | None
    x: float | None
    y: float | None
    sigma_mm: float | None
    request_id: Key | None
    by_gateway: bool = False
    offset: int | None = None
    is_echo: bool = False
    is_mute: bool = False
    start: Start | None = None

    @property
    def at(self) -> int:
        """When it happened, by the server's clock as far as the offset is known."""
        return self.ts + (self.offset or 0)

    def corrected(self, offset: int, start: Start | None = None) -> "AcceptedEvent":
        """The event with its offset."""
        return replace(self, offset=offset, start=start)


class AcceptedBeat(Struct, frozen=True, gc=False, omit_defaults=True):
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
        heard_before: Until when what came of its reader is known to be of the run before, where
            that it was switched on again is known from how late messages came; None: it is not.
    """

    reader_id: Key
    received_at: _Time
    sent_at: _Time | None
    started_at: _Time | None
    buffered: int | None
    battery_pct: float | None
    firmware: str | None
    request_id: Key | None
    by_gateway: bool = False
    offset: int | None = None
    heard_before: int | None = None

    def corrected(self, offset: int, heard_before: int | None = None) -> "AcceptedBeat":
        """The heartbeat with its offset."""
        return replace(self, offset=offset, heard_before=heard_before)


type Accepted = AcceptedEvent | AcceptedBeat


def _key(_: type, text: object) -> Key:
    if not isinstance(text, str):
        raise ValueError("must be an id, as text")
    return Key(text)


_EVENT = msgspec.json.Decoder(AcceptedEvent, dec_hook=_key)
_BEAT = msgspec.json.Decoder(AcceptedBeat, dec_hook=_key)


def encode(accepted: Accepted) -> bytes:
    """As it is kept in the inbox."""
    return msgspec.json.encode(accepted)


# What came late is read twice: to find what belongs together, and when that is done. So many are
# under way at once: all lanes that a worker is at.
@lru_cache(maxsize=4096)
def decode(payload: bytes) -> Accepted:
    """What `encode` wrote.

    Raises:
        ValueError: It is nothing that the API accepted.
    """
    try:
        # No text can hold it: the quotes would be escaped.
        if b'"event_id":' not in payload:
            return _BEAT.decode(payload)
        event = _EVENT.decode(payload)
    except RecursionError as error:
        raise ValueError("goes deeper than any event does") from error
    if not _EARLIEST <= event.at <= _LATEST:
        raise ValueError("a time does not lie between the years 1970 and 2200")
    return event


def readable(payload: bytes) -> Accepted | None:
    """As `decode`; None: it cannot be read."""
    try:
        return decode(payload)
    except ValueError:
        return None
