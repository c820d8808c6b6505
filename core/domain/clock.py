"""How far a reader's clock is from the server's, from when its messages left and when they came.

A message says by the reader's clock when it left; the server knows when it came. The difference is
the clock's offset plus the message's time on the way, and that is never negative: the least of some
differences is nearest to the offset, and a difference below it is a better measurement or a clock
that was set. Times and differences are microseconds. Nothing is rounded: the few milliseconds of
the quickest way are in the offsets of all readers alike, and cancel out between a bow and a butt.
"""

from enum import StrEnum
from functools import lru_cache

from msgspec import Struct

from core.domain.values import MILLISECOND, SECOND

# Of each stretch of ten seconds (a heartbeat comes that often) the least difference is kept, of the
# last twelve in which anything came.
STRETCH = 10 * SECOND
# A reader that says little keeps older differences. A newer one is taken instead of the least when
# it is not greater by more than so many millionths of the time between: twice what a poor crystal
# drifts.
DRIFT_PPM = 100
# A jump is pointed out until the clock has run steadily for so long.
STEADY = 600 * SECOND


class Suspicion(StrEnum):
    """Why an operator should look at a reader's clock."""

    IMPLAUSIBLE = "implausible"
    JUMPED = "jumped"


class Bounds(Struct, frozen=True):
    """What is believed of a clock.

    Args:
        jump: A clock that moves at once by more than this was set.
        implausible: A clock further off than this is wrong.
        oldest: Nothing is told that happened longer ago.
        ahead: Nothing is told that happens later than this.
    """

    jump: int = 500 * MILLISECOND
    implausible: int = 60 * SECOND
    oldest: int = 30 * 86_400 * SECOND
    ahead: int = 300 * SECOND

    def believes(self, at: int, received_at: int) -> bool:
        """Whether something that happened then, by the server's clock, can be told at a time."""
        return received_at - self.oldest <= at <= received_at + self.ahead


class Reading(Struct, frozen=True):
    """What one message tells of its sender's clock.

    Args:
        received_at: When it came, by the server's clock.
        sent_at: When it left, by the sender's clock; None: it does not say.
        started_at: When the reader was switched on, by its own clock; None: it does not say.
    """

    received_at: int
    sent_at: int | None = None
    started_at: int | None = None


class Sample(Struct, frozen=True):
    """A measurement: when a message came, and how much later that was than it says it left."""

    received_at: int
    late: int


class Before(Struct, frozen=True):
    """A reader's clock as it was before it was set, or before the reader was switched on again.

    Args:
        offset: What was added to its times.
        started_at: When the reader had been switched on, by that clock, if it said so.
        left_at: When the last message left that is known to be by it, by our clock.
    """

    offset: int
    started_at: int | None
    left_at: int | None = None


class Clock(Struct, frozen=True, omit_defaults=True):
    """What is known of a reader's clock, since it was last set or switched on.

    Args:
        samples: The least difference of each of the last stretches, in their order.
        begun_at: When the first message came that counts; what came before is of no account.
        since: The clock's own time of its beginning; None: it has none that is known.
        started_at: When the reader says it was switched on, by its own clock.
        before: The clock before.
        jumped_at: When it was last found to have been set since the reader was switched on.
        quick_at: When a message left last that was about as quick as any, of a clock that was never
            set, by our clock.
        slow: The first message since that came later than that by as much as those after it.
        known_at: When it was known that a clock that was never set had begun again. What came
            before is by another offset, or by that of a message that may have been slow.
    """

    samples: tuple[Sample, ...] = ()
    begun_at: int | None = None
    since: int | None = None
    started_at: int | None = None
    before: Before | None = None
    jumped_at: int | None = None
    quick_at: int | None = None
    slow: Sample | None = None
    known_at: int | None = None

    @property
    def offset(self) -> int | None:
        """What is to be added to its times; None: it was never measured."""
        nearest = best(self.samples)
        return None if nearest is None else nearest.late

    @property
    def measured_at(self) -> int | None:
        """When it was last measured; None: it never was."""
        return self.samples[-1].received_at if self.samples else None

    def offset_of(self, at: int, received_at: int, bounds: Bounds = Bounds()) -> int | None:
        """What is to be added to one of its times; None: it was never measured.

        A time before the clock's beginning is the clock's before, and so is one that would lie in
        the future by this clock and not by that.

        Args:
            at: The time, by the reader's clock.
            received_at: When the server was told.
            bounds: What is believed.
        """
        now, before = self.offset, self.before
        if now is None or before is None:
            return now if before is None else before.offset
        is_early = self.since is not None and at < self.since
        is_ahead = at + now > received_at + bounds.jump >= at + before.offset
        is_possible = bounds.believes(at + before.offset, received_at)
        return before.offset if is_possible and (is_early or is_ahead) else now

    def offset_of_start(self, at: int, received_at: int, bounds: Bounds = Bounds()) -> int | None:
        """As `offset_of`, of when the reader says that it was switched on: it counts from when that
        was known, where it is not told otherwise."""
        offset = self.offset_of(at, received_at, bounds)
        if offset is None or self.known_at is None or offset != self.offset:
            return offset
        return max(offset, self.known_at - at)

    def heard_before(self, started_at: int, bounds: Bounds = Bounds()) -> int | None:
        """Until when what came is known to be of the run before, where it was known from how late
        messages came that a reader was switched on again; None: it was not.

        Args:
            started_at: When it was, by our clock: another start is of no account.
            bounds: What is believed.
        """
        if self.known_at != started_at or self.before is None or self.before.left_at is None:
            return None
        return min(started_at, self.before.left_at + bounds.jump)


# Of the same measurements for each event of a reader until there is another.
@lru_cache(maxsize=4096)
def best(samples: tuple[Sample, ...]) -> Sample | None:
    """The measurement nearest to the offset: the least, each worth less as it ages; None: there is
    none."""
    if not samples:
        return None
    newest = samples[-1].received_at // STRETCH

    def aged(sample: Sample) -> tuple[int, int]:
        stretch = sample.received_at // STRETCH
        return sample.late + drift((newest - stretch) * STRETCH), -stretch

    return min(samples, key=aged)


def drift(lasting: int) -> int:
    """By how much a clock may have moved by itself in some time."""
    return max(0, lasting) * DRIFT_PPM // 1_000_000


def suspicion(clock: Clock, bounds: Bounds = Bounds()) -> Suspicion | None:
    """Why an operator should look at a clock; None: there is no reason."""
    offset, measured_at = clock.offset, clock.measured_at
    if offset is None or measured_at is None:
        return None
    if abs(offset) > bounds.implausible:
        return Suspicion.IMPLAUSIBLE
    if clock.jumped_at is not None and measured_at - clock.jumped_at < STEADY:
        return Suspicion.JUMPED
    return None
