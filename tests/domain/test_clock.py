"""How far readers' clocks are from the server's, from when messages left and when they came."""

import random
from collections.abc import Iterable
from copy import replace

from hypothesis import given
from hypothesis import strategies as st

from core.domain.clock import (
    DRIFT_PPM,
    Before,
    Bounds,
    Clock,
    Reading,
    Suspicion,
    suspicion,
)
from core.domain.clock_reading import KEPT, heard
from core.domain.values import MILLISECOND, SECOND

MINUTE = 60 * SECOND
NOON = 1_777_000_000 * SECOND
WAY = 4 * MILLISECOND


def beat(
    at: int, *, behind: int = 0, way: int = WAY, started: int | None = None, told: bool = True
) -> Reading:
    """A heartbeat `at` microseconds after noon, of a reader whose clock is behind."""
    left = NOON + at
    started_at = None if started is None else NOON + started - behind
    return Reading(left + way, left - behind if told else None, started_at)


def after(*readings: Reading, clock: Clock = Clock(), bounds: Bounds = Bounds()) -> Clock:
    """A clock after some messages."""
    for reading in readings:
        clock = heard(clock, reading, bounds)
    return clock


def beats(begin: int, end: int, *, behind: int = 0) -> list[Reading]:
    """A heartbeat every ten seconds."""
    return [beat(at, behind=behind) for at in range(begin, end, 10 * SECOND)]


def test_a_reader_that_never_says_when_it_sends_has_no_offset() -> None:
    clock = after(beat(0, told=False))
    assert (clock.offset, clock.offset_of(NOON, NOON), suspicion(clock)) == (None, None, None)


def test_the_quickest_message_tells_the_offset() -> None:
    slow = beat(0, behind=2 * SECOND, way=300 * MILLISECOND)
    quick = beat(10 * SECOND, behind=2 * SECOND)
    slower = beat(20 * SECOND, behind=2 * SECOND, way=90 * MILLISECOND)
    assert after(slow).offset == 2 * SECOND + 300 * MILLISECOND
    assert after(slow, quick, slower).offset == 2 * SECOND + WAY


def test_a_clock_that_is_ahead_has_a_negative_offset() -> None:
    assert after(beat(0, behind=-2 * SECOND)).offset == -2 * SECOND + WAY


def test_the_offset_is_not_rounded() -> None:
    assert after(beat(0, behind=1, way=2)).offset == 3


@given(
    ways=st.lists(st.integers(0, 400_000), min_size=1, max_size=60),
    behind=st.integers(-(10**15), 10**15),
)
def test_the_offset_is_never_less_than_the_truth_nor_more_than_the_last_message(
    ways: list[int], behind: int
) -> None:
    clock = Clock()
    for number, way in enumerate(ways):
        clock = heard(clock, beat(number * 3 * SECOND, behind=behind, way=way))
        assert clock.offset is not None
        assert behind <= clock.offset <= behind + way
    assert clock.jumped_at is None


@given(ways=st.lists(st.integers(0, 400_000), min_size=1, max_size=60), again=st.randoms())
def test_a_message_taken_twice_changes_nothing(ways: list[int], again: random.Random) -> None:
    said = [beat(number * 3 * SECOND, way=way) for number, way in enumerate(ways)]
    said.sort(key=lambda reading: reading.received_at)
    once = after(*said)
    repeated = sorted(again.sample(said, len(said) // 2), key=lambda each: each.received_at)
    assert after(*repeated, clock=once) == once


@given(
    ways=st.lists(st.integers(0, 400_000), min_size=1, max_size=30),
    chance=st.randoms(),
)
def test_messages_of_two_minutes_give_the_same_offset_in_any_order(
    ways: list[int], chance: random.Random
) -> None:
    said = [beat(number * 3 * SECOND, way=way) for number, way in enumerate(ways)]
    shuffled = chance.sample(said, len(said))
    begun = min(reading.received_at for reading in said)
    at_first = Clock(begun_at=begun)
    assert after(*shuffled, clock=at_first).offset == after(*said, clock=at_first).offset


def drifting(ppm: int, hours: int) -> Iterable[tuple[int, Reading]]:
    """Heartbeats of a clock that loses time, each with how far it is behind."""
    chance = random.Random(ppm)
    for at in range(0, hours * 60 * MINUTE, 10 * SECOND):
        behind = at * ppm // 1_000_000
        way = WAY + round(chance.expovariate(1 / 20_000))
        yield behind, beat(at, behind=behind, way=way)


def test_drift_is_followed_within_the_ways_length() -> None:
    for ppm in (-50, -20, 0, 20, 50):
        clock, errors = Clock(), []
        for behind, reading in drifting(ppm, 3):
            clock = heard(clock, reading)
            assert clock.offset is not None
            errors.append(clock.offset - behind)
        assert clock.jumped_at is None
        late = sorted(errors[30:])
        assert late[0] >= -6 * MILLISECOND
        assert late[len(late) // 2] <= 12 * MILLISECOND
        assert late[-1] <= 40 * MILLISECOND


def test_a_reader_that_says_little_may_have_drifted_meanwhile() -> None:
    slow_after_a_day = beat(24 * 60 * MINUTE, behind=-4 * SECOND)
    clock = after(*beats(0, 2 * MINUTE), slow_after_a_day)
    assert (clock.jumped_at, clock.offset) == (None, -4 * SECOND + WAY)
    assert DRIFT_PPM * 24 * 3600 > 4_000_000


def test_one_message_that_is_delayed_for_minutes_changes_nothing() -> None:
    steady = after(*beats(0, 2 * MINUTE))
    delayed = beat(60 * SECOND, way=3 * MINUTE)
    later = after(delayed, *beats(4 * MINUTE, 6 * MINUTE), clock=steady)
    assert (later.offset, later.jumped_at) == (WAY, None)


def test_a_burst_that_was_kept_back_changes_nothing() -> None:
    steady = after(*beats(0, 2 * MINUTE))
    burst = [beat(2 * MINUTE + n * SECOND, way=9 * MINUTE - n * SECOND) for n in range(60)]
    assert after(*burst, clock=steady).offset == steady.offset


def test_a_clock_that_is_set_ahead_is_followed_at_once() -> None:
    clock = after(*beats(0, 2 * MINUTE), beat(2 * MINUTE, behind=-5 * SECOND))
    assert clock.offset == -5 * SECOND + WAY
    assert clock.jumped_at == NOON + 2 * MINUTE + WAY
    assert suspicion(clock) is Suspicion.JUMPED


def test_a_few_slow_messages_at_first_are_no_jump() -> None:
    clock = after(beat(0, way=4 * SECOND), beat(10 * SECOND, way=3 * SECOND), beat(20 * SECOND))
    assert (clock.offset, clock.jumped_at, clock.before) == (WAY, None, None)


def test_a_clock_that_is_set_back_a_little_is_followed_after_two_minutes() -> None:
    clock = after(*beats(0, 2 * MINUTE), *beats(2 * MINUTE, 3 * MINUTE, behind=5 * SECOND))
    assert (clock.offset, clock.jumped_at) == (WAY, None)
    clock = after(*beats(3 * MINUTE, 4 * MINUTE, behind=5 * SECOND), clock=clock)
    assert clock.offset == 5 * SECOND + WAY
    assert suspicion(clock) is Suspicion.JUMPED


def test_a_clock_that_is_set_back_by_a_minute_is_followed_after_three_beats() -> None:
    steady = after(*beats(0, 2 * MINUTE))
    set_back = beats(2 * MINUTE, 3 * MINUTE, behind=MINUTE)
    assert after(*set_back[:2], clock=steady).offset == WAY
    clock = after(*set_back[:3], clock=steady)
    assert (clock.offset, clock.before) == (MINUTE + WAY, Before(WAY, None))


def test_a_clock_that_is_set_back_by_an_hour_is_followed_at_once() -> None:
    clock = after(*beats(0, 2 * MINUTE), beat(2 * MINUTE, behind=60 * MINUTE))
    assert (clock.offset, clock.before) == (60 * MINUTE + WAY, Before(WAY, None))
    assert suspicion(clock) is Suspicion.IMPLAUSIBLE
    assert clock.jumped_at == NOON + 2 * MINUTE + WAY


def test_one_that_was_kept_back_for_an_hour_is_followed_no_further() -> None:
    clock = after(*beats(0, 2 * MINUTE), beat(2 * MINUTE, way=60 * MINUTE), beat(63 * MINUTE))
    assert clock.offset == WAY


def test_a_time_long_ago_is_not_on_the_clock_before() -> None:
    clock = after(*beats(0, 2 * MINUTE, behind=-NOON), beat(2 * MINUTE))
    assert clock.before == Before(WAY - NOON, None)
    assert clock.offset_of(NOON + MINUTE, NOON + 2 * MINUTE) == WAY


def test_a_clock_that_is_set_back_by_less_than_a_jump_is_followed_without_a_word() -> None:
    little = 100 * MILLISECOND
    clock = after(*beats(0, 2 * MINUTE), *beats(2 * MINUTE, 4 * MINUTE, behind=little))
    assert (clock.offset, clock.jumped_at) == (little + WAY, None)


def test_a_jump_is_pointed_out_until_the_clock_has_run_steadily() -> None:
    clock = after(*beats(0, 2 * MINUTE), *beats(2 * MINUTE, 11 * MINUTE, behind=-5 * SECOND))
    assert suspicion(clock) is Suspicion.JUMPED
    clock = after(*beats(11 * MINUTE, 13 * MINUTE, behind=-5 * SECOND), clock=clock)
    assert (suspicion(clock), clock.jumped_at) == (None, NOON + 2 * MINUTE + WAY)


def test_a_clock_that_is_far_off_is_implausible_either_way() -> None:
    for behind in (61 * SECOND, -61 * SECOND):
        assert suspicion(after(beat(0, behind=behind))) is Suspicion.IMPLAUSIBLE
    assert suspicion(after(beat(0, behind=59 * SECOND))) is None


def test_what_was_seen_before_the_clock_was_set_is_on_the_clock_before() -> None:
    clock = after(*beats(0, 2 * MINUTE), beat(2 * MINUTE, behind=-5 * SECOND))
    received_at = NOON + 3 * MINUTE
    assert clock.offset_of(NOON + MINUTE, received_at) == WAY
    assert clock.offset_of(NOON + 2 * MINUTE + 6 * SECOND, received_at) == -5 * SECOND + WAY


def test_what_would_lie_in_the_future_is_on_the_clock_before() -> None:
    hour = 60 * MINUTE
    clock = after(*beats(0, 2 * MINUTE), *beats(2 * MINUTE, 3 * MINUTE, behind=hour))
    assert clock.offset_of(NOON + MINUTE, NOON + 3 * MINUTE) == WAY
    assert clock.offset_of(NOON + 150 * SECOND - hour, NOON + 3 * MINUTE) == hour + WAY


def test_a_reader_that_is_switched_on_again_begins_anew() -> None:
    first = [beat(at, behind=SECOND, started=-MINUTE) for at in range(0, MINUTE, 10 * SECOND)]
    again = beat(2 * MINUTE, behind=3 * SECOND, started=100 * SECOND, way=200 * MILLISECOND)
    clock = after(*first, again)
    assert clock.offset == 3 * SECOND + 200 * MILLISECOND
    assert (clock.jumped_at, clock.started_at) == (None, NOON + 97 * SECOND)
    assert clock.before == Before(SECOND + WAY, NOON - MINUTE - SECOND)


def test_what_was_seen_before_the_start_is_on_the_clock_before() -> None:
    first = [beat(at, behind=SECOND, started=-MINUTE) for at in range(0, MINUTE, 10 * SECOND)]
    clock = after(*first, beat(2 * MINUTE, behind=3 * SECOND, started=100 * SECOND))
    received_at = NOON + 2 * MINUTE
    assert clock.offset_of(NOON + 50 * SECOND - SECOND, received_at) == SECOND + WAY
    assert clock.offset_of(NOON + 110 * SECOND - 3 * SECOND, received_at) == 3 * SECOND + WAY


def test_a_clock_that_begins_at_the_same_time_again_is_a_start() -> None:
    first = [beat(at, behind=NOON, started=0) for at in range(10, 200 * SECOND, 10 * SECOND)]
    behind = NOON + 260 * SECOND
    again = beat(290 * SECOND, behind=behind, started=260 * SECOND)
    clock = after(*first, again)
    assert (clock.offset, clock.jumped_at, clock.started_at) == (behind + WAY, None, 0)
    assert clock.before == Before(NOON + WAY, 0, first[-1].received_at)
    # Until then it may have been measured by a slow message.
    assert clock.offset_of_start(0, again.received_at) == again.received_at
    # An event tells as much.
    event = beat(290 * SECOND, behind=behind)
    assert after(*first, event) == clock


def test_a_heartbeat_that_was_kept_back_is_no_start() -> None:
    first = [beat(at, behind=NOON, started=0) for at in range(10, 200 * SECOND, 10 * SECOND)]
    late = beat(150 * SECOND, behind=NOON, started=0, way=60 * SECOND)
    assert after(*first, late).offset == NOON + WAY


def test_a_request_that_takes_long_soon_after_a_start_is_no_start() -> None:
    first = beat(SECOND, started=0)
    slow = beat(8 * SECOND, way=7 * SECOND)
    assert after(first, slow).offset == WAY
    overtaken = beat(SECOND, way=20 * SECOND)
    assert after(beat(2 * SECOND, started=0), overtaken).offset == WAY


def run(began: int, *at: int, way: int = WAY) -> list[Reading]:
    """What is said so long after a reader was switched on whose clock then begins at 1970."""
    return [beat(began + each, behind=NOON + began, started=began, way=way) for each in at]


def test_a_start_soon_after_another_is_believed_when_it_is_said_twice() -> None:
    clock = after(*run(0, SECOND, 2 * SECOND))
    once = after(*run(4 * SECOND, SECOND), clock=clock)
    assert (once.offset, once.known_at) == (NOON + WAY, None)
    again = run(4 * SECOND, 11 * SECOND)
    twice = after(*again, clock=once)
    assert (twice.offset, twice.known_at) == (NOON + 4 * SECOND + WAY, again[0].received_at)
    # A slow message says nothing of when the next is on time.
    calm = after(*run(0, 6 * SECOND), *again, clock=once)
    assert (calm.offset, calm.known_at) == (NOON + WAY, None)


def test_who_was_heard_since_was_not_switched_on_again_before() -> None:
    clock = after(*run(0, SECOND, 4 * SECOND + 500 * MILLISECOND))
    crowded = after(*run(0, 6 * SECOND, 16 * SECOND, way=3 * SECOND), clock=clock)
    assert (crowded.offset, crowded.known_at) == (NOON + WAY, None)


def test_what_was_held_back_and_comes_at_once_is_no_start() -> None:
    clock = after(*run(0, 100 * MILLISECOND))
    held_back = [run(0, at, way=9 * SECOND - at)[0] for at in (4 * SECOND, 4 * SECOND + 1)]
    assert after(*held_back, clock=clock).known_at is None


def test_a_late_word_of_the_run_before_does_not_bring_it_back() -> None:
    clock = after(*run(0, SECOND, 101 * SECOND), *run(200 * SECOND, SECOND))
    assert clock.offset == NOON + 200 * SECOND + WAY
    late = run(0, 110 * SECOND, way=92 * SECOND)[0]
    assert after(late, clock=clock) == clock
    assert clock.offset_of(110 * SECOND, late.received_at) == NOON + WAY


def test_who_goes_on_as_before_was_not_switched_on_again() -> None:
    slow = run(0, 3 * SECOND, way=6 * SECOND)
    taken_for_a_start = after(*run(0, 500 * MILLISECOND), *slow)
    assert taken_for_a_start.known_at == slow[0].received_at
    assert after(*run(0, 10 * SECOND), clock=taken_for_a_start).offset == NOON + WAY


def test_what_comes_on_time_after_a_slow_first_word_is_taken() -> None:
    # Off after 111 s, and on again after 115.
    slow = [*run(0, 110 * SECOND, way=7 * SECOND), *run(115 * SECOND, SECOND, way=3 * SECOND)]
    clock = after(*run(0, SECOND, 101 * SECOND), *slow)
    assert clock.offset == NOON + 115 * SECOND + 3 * SECOND
    assert after(*run(115 * SECOND, 10 * SECOND), clock=clock).offset == NOON + 115 * SECOND + WAY


def test_a_slow_word_of_the_run_before_does_not_hide_the_next() -> None:
    slow = run(0, 110 * SECOND, way=400 * MILLISECOND)
    clock = after(*run(0, SECOND, 101 * SECOND), *slow)
    began = 110 * SECOND + 350 * MILLISECOND
    assert after(*run(began, SECOND), clock=clock).offset == NOON + began + WAY


def test_nobody_began_again_before_it_was_heard() -> None:
    (first,), crowded = run(0, 4 * SECOND), run(0, 10 * SECOND, 20 * SECOND, way=3 * SECOND)
    assert after(first, *crowded).known_at is None
    assert after(first, *crowded).offset == after(first, first, *crowded).offset == NOON + WAY


def test_a_slow_word_after_a_quick_one_of_its_stretch_is_no_start() -> None:
    quick = run(0, SECOND, 8 * SECOND, 8 * SECOND + 500 * MILLISECOND)
    slow = run(0, 8 * SECOND + 600 * MILLISECOND, way=8 * SECOND)
    assert after(*quick, *slow).offset == NOON + WAY


def test_a_clock_that_is_set_after_a_start_is_followed() -> None:
    clock = after(*run(0, SECOND, 101 * SECOND), *run(200 * SECOND, SECOND))
    assert after(beat(210 * SECOND), clock=clock).offset == WAY


def test_a_late_word_of_the_start_before_changes_nothing() -> None:
    first = beat(0, behind=SECOND, started=-MINUTE)
    clock = after(first, beat(2 * MINUTE, behind=3 * SECOND, started=100 * SECOND))
    late = replace(first, received_at=NOON + 3 * MINUTE, sent_at=None)
    assert after(late, clock=clock) == clock


def test_a_start_that_is_told_late_names_what_was_measured_since() -> None:
    clock = after(beat(10 * SECOND, behind=SECOND), beat(20 * SECOND, behind=SECOND, started=0))
    assert clock.offset == SECOND + WAY
    assert (clock.before, clock.started_at) == (None, NOON - SECOND)


def test_a_start_known_from_the_first_events_of_a_clock_without_a_battery() -> None:
    at_epoch = [beat(at, behind=NOON, started=-MINUTE) for at in range(0, MINUTE, 10 * SECOND)]
    first_event = beat(2 * MINUTE, behind=0)
    clock = after(*at_epoch, first_event)
    assert suspicion(clock) is Suspicion.JUMPED
    clock = after(beat(2 * MINUTE + SECOND, behind=0, started=110 * SECOND), clock=clock)
    assert (suspicion(clock), clock.offset, clock.started_at) == (None, WAY, NOON + 110 * SECOND)
    assert clock.offset_of(50 * SECOND, NOON + 3 * MINUTE) == NOON + WAY


def test_the_same_start_told_by_another_clock_is_a_clock_that_was_set() -> None:
    first = [beat(at, started=-MINUTE) for at in range(0, MINUTE, 10 * SECOND)]
    set_back = beat(MINUTE, behind=20 * SECOND, started=-MINUTE)
    clock = after(*first, set_back)
    assert clock.offset == 20 * SECOND + WAY
    assert (suspicion(clock), clock.jumped_at) == (Suspicion.JUMPED, set_back.received_at)


def test_a_gateway_that_names_a_start_says_nothing_of_the_readers_clock() -> None:
    clock = after(beat(0, behind=SECOND), beat(MINUTE, told=False, started=50 * SECOND))
    assert (clock.offset, clock.measured_at) == (None, None)
    assert clock.offset_of(NOON + MINUTE, NOON + MINUTE) == SECOND + WAY


def test_bounds_can_be_wider() -> None:
    wide = Bounds(jump=10 * SECOND, implausible=SECOND)
    clock = after(*beats(0, 2 * MINUTE), beat(2 * MINUTE, behind=-5 * SECOND), bounds=wide)
    assert suspicion(clock, wide) is Suspicion.IMPLAUSIBLE
    assert clock.jumped_at is None


@given(
    words=st.lists(
        st.tuples(
            st.integers(0, 10**9),
            st.none() | st.integers(-(10**12), 10**12),
            st.none() | st.integers(-(10**9), 10**9),
        ),
        max_size=80,
    )
)
def test_whatever_is_said_in_whatever_order_little_is_kept_and_it_is_in_order(
    words: list[tuple[int, int | None, int | None]],
) -> None:
    clock = Clock()
    for came, late, started_at in words:
        received_at = NOON + came
        sent_at = None if late is None else received_at - late
        clock = heard(clock, Reading(received_at, sent_at, started_at))
        times = [sample.received_at for sample in clock.samples]
        assert len(times) <= KEPT and times == sorted(times)
        assert (clock.offset is None) == (not times)


def test_until_when_what_came_is_of_the_run_before() -> None:
    before = after(*run(0, SECOND, 4 * SECOND))
    known = after(*run(5 * SECOND, SECOND, 11 * SECOND), clock=before)
    assert known.known_at == NOON + 16 * SECOND + WAY
    heard_before = NOON + 4 * SECOND + WAY + Bounds().jump
    assert known.heard_before(known.known_at) == heard_before
    # Of another start, and of a reader that was not switched on again, nothing is known.
    assert known.heard_before(known.known_at - 1) is None
    assert before.heard_before(NOON) is None
    # By then the start was known.
    soon = after(*run(0, SECOND, 20 * SECOND), *run(20 * SECOND + 200 * MILLISECOND, 1))
    assert soon.known_at is not None
    assert soon.heard_before(soon.known_at) == soon.known_at
