"""What each message tells of its sender's clock: a better measurement, a start, that it was set.

A message can be late, never early. So a difference well below the least is followed at once: the
clock was set ahead, or what came before was slow. One well above it may be a slow message and is
not believed, until nothing has come as quickly as before for two minutes: then the clock was set
back. What comes meanwhile keeps the offset that was known. A clock that was set by more than a
request lasts needs three stretches that agree; by more than anything is kept back, or when its
reader tells its unchanged start by another clock, it is believed at once.

A clock that was never set begins at the same time whenever its reader is switched on. That this was
done again is believed when the reader had run for long enough before, else when a second message
says the same some seconds later.
"""

from collections.abc import Sequence
from copy import replace

from core.domain.clock import STRETCH, Before, Bounds, Clock, Reading, Sample, best, drift
from core.domain.values import MILLISECOND, SECOND

# Two minutes of a reader that beats. A crystal that is 50 ppm off moves by 6 ms meanwhile, and a
# crowded network lets a message through quickly now and then.
KEPT = 12
# A level is sure when so many stretches came near to it.
SURE = 3
# No request lasts so long, but whatever relays it may keep it back for a while.
LONGEST_REQUEST = 30 * SECOND
LONGEST_DELAY = 600 * SECOND
# Switched on at the same time, as far as two words of it tell.
SAME_START = SECOND
# Switched on again, not measured wrong.
ANOTHER_START = 5 * SECOND
# A clock that is so far behind runs since its reader was switched on.
NEVER_SET = 86_400 * SECOND
# What is held back comes at once in the end: of two messages that left so far apart and took
# equally long, as far as networks are steady, neither was.
APART, ALIKE = 5 * SECOND, 200 * MILLISECOND


def heard(clock: Clock, reading: Reading, bounds: Bounds = Bounds()) -> Clock:
    """The clock after one more message; messages are taken in the order in which they came.

    A message that is taken twice, or that came before the clock's beginning, changes no offset.

    Args:
        clock: What was known.
        reading: What the message tells.
        bounds: What is believed.
    """
    if clock.begun_at is not None and reading.received_at < clock.begun_at:
        return clock
    if reading.started_at is not None:
        clock = _started(clock, reading, reading.started_at, bounds)
    if reading.sent_at is None:
        return clock
    sample = Sample(reading.received_at, reading.received_at - reading.sent_at)
    if clock.begun_at is None:
        clock = replace(clock, begun_at=sample.received_at)
    return (_run_on if _was_never_set(clock) else _measured)(clock, sample, bounds)


def _started(clock: Clock, reading: Reading, started_at: int, bounds: Bounds) -> Clock:
    """The clock after its reader said when it was switched on."""
    known = clock.started_at
    if _same(known, started_at) or (clock.before and _same(clock.before.started_at, started_at)):
        return clock
    offset = clock.offset
    if offset is None:
        return replace(clock, started_at=started_at, since=started_at)
    if reading.sent_at is not None and known is not None:
        late = reading.received_at - reading.sent_at
        if abs(started_at + late - known - offset) <= bounds.jump:
            # The same start, told by a clock that was set meanwhile.
            since = clock.samples[-1].received_at - late
            return replace(_anew(clock, since, reading.received_at), started_at=started_at)
    if _is_unnamed(clock, reading) and started_at + offset <= (clock.begun_at or 0):
        # What was measured is of this start already: it is only named now.
        return replace(clock, started_at=started_at, since=started_at, jumped_at=None)
    begun = replace(_anew(clock, started_at, None), started_at=started_at)
    return replace(begun, begun_at=reading.received_at)


def _is_unnamed(clock: Clock, reading: Reading) -> bool:
    """Whether the clock may have begun when its reader was switched on, which nobody was told."""
    just_now = reading.received_at - KEPT * STRETCH
    has_jumped = clock.jumped_at is not None and clock.jumped_at >= just_now
    return clock.started_at is None or has_jumped


def _same(known: int | None, said: int) -> bool:
    return known is not None and abs(known - said) <= SAME_START


def _anew(clock: Clock, since: int | None, jumped_at: int | None, *samples: Sample) -> Clock:
    """A clock of which only these measurements are known; what was known is the clock before."""
    offset = clock.offset
    before = clock.before if offset is None else Before(offset, clock.started_at)
    begun_at = samples[0].received_at if samples else jumped_at
    return Clock(samples, begun_at, since, clock.started_at, before, jumped_at)


def _measured(clock: Clock, sample: Sample, bounds: Bounds) -> Clock:
    """The clock after one more measurement."""
    known = clock.samples
    level = best(known)
    if level is None:
        return replace(clock, samples=(sample,))
    if _tells_nothing(sample, known):
        return clock
    allowed = bounds.jump + drift(sample.received_at - level.received_at)
    if sample.late < level.late - allowed:
        return _set_ahead(clock, sample, level.late + bounds.jump)
    if sample.late > level.late + allowed + LONGEST_DELAY:
        return _anew(clock, known[-1].received_at - sample.late, sample.received_at, sample)
    samples = _with(known, sample)
    kept = samples[-SURE:] if _was_set_back(samples, bounds) else samples[-KEPT:]
    risen = best(kept)
    if risen is None or risen.late <= level.late + allowed:
        return replace(clock, samples=kept)
    # Nothing came as quickly as before for long: the clock was set back.
    last = max(s.received_at for s in known if s.late <= level.late + bounds.jump)
    return _anew(clock, last - risen.late, sample.received_at, *kept)


def _was_never_set(clock: Clock) -> bool:
    """Whether a clock begins at the same time whenever its reader is switched on."""
    offset = clock.offset
    return clock.started_at is not None and offset is not None and offset >= NEVER_SET


def _run_on(clock: Clock, sample: Sample, bounds: Bounds) -> Clock:
    """A clock that was never set after one more measurement."""
    if _is_of_the_run_before(clock, sample, bounds):
        return clock
    if _began_again(clock, sample):
        return _run_anew(clock, bounds, sample)
    clock = _weighed(clock, sample, bounds)
    if clock.slow is not None and _is_of_another_run(clock, clock.slow, sample, bounds):
        return _run_anew(clock, bounds, clock.slow, sample)
    return _of_the_same_run(clock, _measured(clock, sample, bounds))


def _of_the_same_run(clock: Clock, measured: Clock) -> Clock:
    """A measured clock that was never set: when its messages take longer than before, or less, it
    was not set, and its run is the one that was known."""
    was_moved = abs((measured.offset or 0) - (clock.offset or 0)) > LONGEST_REQUEST
    if clock.known_at is None or was_moved:
        return measured
    return replace(clock, samples=measured.samples)


def _began_again(clock: Clock, sample: Sample) -> bool:
    """Whether a clock that was never set began since the message before: by it the reader has run
    no longer than that. A slow request soon after a start looks the same."""
    has_run = sample.received_at - sample.late - (clock.started_at or 0)
    since = sample.received_at - _last_left(clock)
    return 0 <= has_run <= since and sample.late > (clock.offset or 0) + ANOTHER_START


def _left(clock: Clock, sample: Sample) -> int:
    """When a message left, by our clock, as far as how late it was tells."""
    return sample.received_at - max(0, sample.late - (clock.offset or 0))


def _last_left(clock: Clock) -> int:
    """When the last message left that is known to be by a clock that was never set."""
    return max(_left(clock, clock.samples[-1]), clock.quick_at or 0)


def _quick_at(clock: Clock, bounds: Bounds) -> int:
    """As `Clock.quick_at`, also when no message was weighed yet."""
    if clock.quick_at is not None:
        return clock.quick_at
    near = (clock.offset or 0) + bounds.jump
    return max((_left(clock, each) for each in clock.samples if each.late <= near), default=0)


def _run_anew(clock: Clock, bounds: Bounds, *samples: Sample) -> Clock:
    """A clock that was never set, whose reader was switched on again."""
    begun = _anew(clock, (clock.started_at or 0) - SAME_START, None, *samples)
    left_at = _quick_at(clock, bounds) or _last_left(clock)
    before = None if begun.before is None else replace(begun.before, left_at=left_at)
    return replace(begun, before=before, known_at=samples[-1].received_at)


def _is_of_the_run_before(clock: Clock, sample: Sample, bounds: Bounds) -> bool:
    """Whether a message left before its reader was switched on again: by it the reader has run
    since before others of that run left. What left later says that it was not switched on."""
    before, started_at = clock.before, clock.started_at or 0
    if clock.known_at is None or before is None or before.left_at is None:
        return False
    was_late = sample.late - before.offset
    if not -bounds.jump <= was_late <= LONGEST_DELAY:
        return False
    has_left_before = sample.received_at - was_late <= started_at + (clock.offset or 0)
    return has_left_before and started_at + sample.late < before.left_at


def _weighed(clock: Clock, sample: Sample, bounds: Bounds) -> Clock:
    """A clock that was never set, with how quick the last messages were."""
    slow = clock.slow
    if sample.late <= (clock.offset or 0) + bounds.jump:
        quick_at = max(_quick_at(clock, bounds), _left(clock, sample))
        is_past = slow is not None and slow.received_at < quick_at
        return replace(clock, quick_at=quick_at, slow=None if is_past else slow)
    if sample in clock.samples:
        # It was taken already.
        return clock
    if slow is None or (slow.received_at < sample.received_at and not _are_alike(slow, sample)):
        return replace(clock, slow=sample)
    return clock


def _is_of_another_run(clock: Clock, slow: Sample, sample: Sample, bounds: Bounds) -> bool:
    """Whether two messages left after their reader was switched on again: both say so, and nothing
    that left since has come as quickly as before."""
    began_at = (clock.started_at or 0) + min(slow.late, sample.late)
    is_told_twice = sample.received_at - slow.received_at >= APART and _are_alike(slow, sample)
    return is_told_twice and began_at >= _quick_at(clock, bounds)


def _are_alike(one: Sample, other: Sample) -> bool:
    return abs(one.late - other.late) <= ALIKE


def _tells_nothing(sample: Sample, known: Sequence[Sample]) -> bool:
    """Whether a message is too old, or a quicker one came in the same stretch, as for most messages
    of a busy reader."""
    last = known[-1]
    is_slower = last.late <= sample.late <= last.late + LONGEST_DELAY
    is_same = sample.received_at // STRETCH == last.received_at // STRETCH
    is_old = len(known) == KEPT and sample.received_at < known[0].received_at
    return is_old or (is_same and is_slower)


def _set_ahead(clock: Clock, sample: Sample, level: int) -> Clock:
    """The clock after a message that was quicker than any can be by what was known.

    Args:
        clock: What was known.
        sample: The message.
        level: The most that a message near to the level takes.
    """
    if sum(s.late <= level for s in clock.samples) < SURE:
        # What was known were a few slow messages: this is only a better measurement.
        return replace(clock, samples=(sample,))
    since = clock.samples[-1].received_at - sample.late
    return _anew(clock, since, sample.received_at, sample)


def _was_set_back(samples: Sequence[Sample], bounds: Bounds) -> bool:
    """Whether the last messages agree that they left longer ago than a request lasts."""
    last, level = samples[-SURE:], best(samples[:-SURE])
    if level is None or len(last) < SURE:
        return False
    quickest, slowest = min(s.late for s in last), max(s.late for s in last)
    return quickest > level.late + LONGEST_REQUEST and slowest - quickest <= bounds.jump


def _with(samples: Sequence[Sample], sample: Sample) -> tuple[Sample, ...]:
    """The samples with one more, of each stretch only the least."""
    least_of: dict[int, Sample] = {}
    for each in sorted([*samples, sample], key=lambda s: (s.late, s.received_at)):
        least_of.setdefault(each.received_at // STRETCH, each)
    return tuple(sorted(least_of.values(), key=lambda s: s.received_at))
