"""What readers say put on the server's clock, before anything looks at when it happened."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from uuid import UUID

from msgspec import Struct, field

from core.domain.clock import Bounds, Clock, Reading, Suspicion, suspicion
from core.domain.clock_reading import heard
from core.domain.values import MILLISECOND, EventType
from core.log import get_logger
from core.models.reader_clock import ClockKey, KnownClock, Source
from core.schema.inbox import Accepted, AcceptedBeat, AcceptedEvent, Start

log = get_logger(__name__)


class Suspect(Struct, frozen=True):
    """A reader whose clock an operator should look at from now on.

    Args:
        reader_id: The reader.
        reason: Why.
        offset: What is added to its times, microseconds.
    """

    reader_id: UUID
    reason: Suspicion
    offset: int


class Corrected(Struct, frozen=True):
    """What came, each with the offset of its reader's clock.

    Args:
        accepted: In the order in which it came.
        suspects: Readers whose clocks became suspect by it.
        clocks: What is known of clocks since, where that is something else than before.
    """

    accepted: Sequence[Accepted]
    suspects: Sequence[Suspect] = ()
    clocks: Mapping[ClockKey, KnownClock] = field(default_factory=dict)


class _Clocks(Struct):
    """The clocks of some readers, while messages of theirs are taken."""

    bounds: Bounds
    known: dict[ClockKey, Clock] = field(default_factory=dict)
    starts: set[tuple[UUID, int]] = field(default_factory=set)

    def take(self, said: Accepted) -> None:
        """Learn from a message."""
        source = Source.GATEWAY if said.by_gateway else Source.READER
        started_at = said.started_at if isinstance(said, AcceptedBeat) else None
        if source is Source.GATEWAY:
            # When a reader was switched on is by its own clock, whoever relays it.
            if (said.reader_id, Source.READER) in self.known:
                self._take(
                    said.reader_id, Source.READER, Reading(said.received_at, None, started_at)
                )
            started_at = None
        if said.sent_at is not None:
            reading = Reading(said.received_at, said.sent_at, started_at)
            self._take(said.reader_id, source, reading)

    def _take(self, reader_id: UUID, source: Source, reading: Reading) -> None:
        before = self.known.get((reader_id, source), Clock())
        self.known[reader_id, source] = heard(before, reading, self.bounds)

    def corrected(self, said: Accepted) -> Accepted:
        """A message with what is to be added to its times; 0 when nothing ever told."""
        if isinstance(said, AcceptedBeat):
            return self._corrected(said)
        return said.corrected(self._offset(said), self._start_known_by(said))

    def _corrected(self, beat: AcceptedBeat) -> AcceptedBeat:
        at = beat.received_at if beat.started_at is None else beat.started_at
        for clock in self._of(beat.reader_id, Source.READER, Source.GATEWAY):
            offset = clock.offset_of_start(at, beat.received_at, self.bounds)
            if offset is not None:
                return beat.corrected(offset, clock.heard_before(at + offset, self.bounds))
        return beat.corrected(0)

    def _start_known_by(self, said: AcceptedEvent) -> Start | None:
        """The start that a landing makes known, for the first of a request: perhaps its reader says
        no more."""
        if said.by_gateway or said.type is not EventType.LANDED:
            return None
        clock = self.known.get((said.reader_id, Source.READER))
        if clock is None or clock.known_at != said.received_at or clock.started_at is None:
            return None
        key = said.reader_id, clock.known_at
        if key in self.starts:
            return None
        self.starts.add(key)
        heard_before = clock.heard_before(clock.known_at, self.bounds)
        return Start(clock.started_at, clock.known_at, heard_before)

    def _offset(self, said: AcceptedEvent) -> int:
        own = (Source.READER, Source.GATEWAY)
        for clock in self._of(said.reader_id, *(own[::-1] if said.by_gateway else own)):
            offset = clock.offset_of(said.ts, said.received_at, self.bounds)
            if offset is not None and self.bounds.believes(said.ts + offset, said.received_at):
                return offset
        # The API found it believable by what it says itself.
        return 0 if said.sent_at is None else said.received_at - said.sent_at

    def _of(self, reader_id: UUID, *sources: Source) -> list[Clock]:
        """The clocks that a reader's times may be by, as far as they are known."""
        keys = [(reader_id, source) for source in sources]
        return [self.known[key] for key in keys if key in self.known]


def correct(
    bounds: Bounds, accepted: Sequence[Accepted], before: Mapping[ClockKey, KnownClock]
) -> Corrected:
    """Find what is to be added to the times of what came, and what it tells of the clocks.

    What has an offset already (another partition's worker found it, or this batch is done target by
    target) keeps it: a clock that moves must not move an event to and fro.

    Args:
        bounds: What is believed of a clock.
        accepted: What came, in any order.
        before: What is known of its readers' clocks, which are locked.
    """
    fresh = [each for each in accepted if each.offset is None]
    if not fresh:
        return Corrected(accepted)
    clocks = _Clocks(bounds, {key: each.clock for key, each in before.items()})
    found = _found(clocks, fresh)
    after = {
        key: KnownClock(clock, suspicion(clock, bounds))
        for key, clock in clocks.known.items()
        if key not in before or clock != before[key].clock
    }
    corrected = [found.get(id(each), each) for each in accepted]
    return Corrected(corrected, list(_suspects(before, after)), after)


def _found(clocks: _Clocks, fresh: Sequence[Accepted]) -> dict[int, Accepted]:
    """The messages with their offsets, by the identity of those without."""
    found: dict[int, Accepted] = {}
    ordered = sorted(fresh, key=_came)
    for _, together in groupby(ordered, key=lambda each: each.received_at):
        request = list(together)
        # Most of a request tell the same of a reader's clock, and told twice it changes nothing.
        for each in {_told(each): each for each in request}.values():
            clocks.take(each)
        for each in request:
            found[id(each)] = clocks.corrected(each)
    return found


def _told(said: Accepted) -> tuple[UUID, bool, int | None, int | None]:
    """What a message of a request tells of its reader's clock."""
    started_at = said.started_at if isinstance(said, AcceptedBeat) else None
    return said.reader_id, said.by_gateway, said.sent_at, started_at


def _came(said: Accepted) -> tuple[int, int]:
    """What came at the same time is taken in one order, whatever the order in the inbox."""
    return said.received_at, said.sent_at or 0


def _suspects(
    before: Mapping[ClockKey, KnownClock], after: Mapping[ClockKey, KnownClock]
) -> Iterable[Suspect]:
    for key in sorted(after):
        known, offset = after[key], after[key].clock.offset
        earlier = before.get(key, KnownClock(Clock())).suspect
        if offset is None or known.suspect is None or known.suspect is earlier:
            continue
        own = {**before, **after}.get((key[0], Source.READER))
        if key[1] is Source.READER or own is None:
            yield Suspect(key[0], known.suspect, offset)


def warn(suspects: Iterable[Suspect]) -> None:
    """Tell the operators, once it is committed."""
    for suspect in suspects:
        log.warning(
            "a reader's clock is suspect",
            reader=str(suspect.reader_id),
            reason=suspect.reason.value,
            offset_ms=suspect.offset / MILLISECOND,
        )
