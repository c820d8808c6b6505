"""What a butt's shots teach about those that follow: each archer's flight time, how far it
scatters, and how often something is missing.

Learning follows the shots in the order of their releases: what is expected of a shot depends on the
shots of the same butt that were released before it, and on nothing else. So the same events teach
the same, in whatever order they came. What was learned from each shot is a `Lesson`; the latest
`REMEMBERED` lessons are all that is known.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from operator import attrgetter
from typing import NamedTuple
from uuid import UUID

from msgspec import Struct

from core.domain.flight import first_guess
from core.domain.values import SECOND, Slot

# Archers tire and clocks drift: learning looks at so many of a butt's latest shots.
REMEMBERED = 128
# A butt's first lessons: shots among them are decided by those after them, too.
OPENING = 24
# Archers of one style differ by 5 %, an archer's own shots by 1 to 2 %.
SPREAD_OF_STYLE = 0.05
SPREAD_OF_SHOTS = 0.012
# Two readers' clocks disagree by some 20 ms from event to event, and as much from pair to pair.
SPREAD_OF_EVENTS = 0.02 * SECOND
SPREAD_OF_PAIRS = 0.02 * SECOND
# The first guess of the spread counts as so many shots, that of the time as so many in a median.
SHOTS_FOR_SPREAD = 6
VOICES_OF_GUESS = 3
# A spread that was learned is itself uncertain, and errors have longer tails than the normal curve.
WIDER = 1.1
# A flight further from the median than so many spreads is unlike the archer's others; so many of
# the latest that are all but one unlike the others are a new beginning: a clock was set.
UNLIKE_FROM = 4.0
NEW_BEGINNING = 6


class Rates(Struct, frozen=True, gc=False):
    """How often something else happens than an archer's usual flight from release to landing.

    Args:
        missing: The share of releases without a landing.
        strays_per_s: Landings that are nobody's, for each second after a release.
        unlike: The share of arrows that fly unlike their archer's others.
    """

    missing: float
    strays_per_s: float
    unlike: float


# Before anything is known: 2 % of arrows miss, and readers lose 1 to 10 % of what happens, which
# leaves that share of releases and of landings alone. Weighed as so many shots and seconds.
FIRST_RATES = Rates(missing=0.1, strays_per_s=0.014, unlike=0.004)
SHOTS_FOR_MISSING = 20
SECONDS_FOR_STRAYS = 100
SHOTS_FOR_UNLIKE = 8
# An archer none of whose flights is known may be entered with another bow than they shoot.
UNLIKE_WHEN_UNKNOWN = 0.05


# A tuple, since flights are told apart by it again and again.
class Clocks(NamedTuple):
    """The two readers that a flight is measured between.

    Args:
        bow: The bow's reader.
        butt: The butt's.
    """

    bow: UUID | None
    butt: UUID | None


# Asked for with every pair, and kept with every lesson: once for each two readers.
@lru_cache(maxsize=4096)
def clocks_of(bow: UUID | None, butt: UUID | None) -> Clocks:
    """The clocks of two readers."""
    return Clocks(bow, butt)


class Lesson(Struct, frozen=True, gc=False):
    """What a decided shot teaches.

    Args:
        shot_id: The shot.
        slot_id: The place that it was shot from.
        released_at: When, microseconds.
        flight: Its time in the air, microseconds, when it is beyond doubt.
        clocks: By which it was measured; None as the flight.
        is_missing: Whether it had no landing though the butt's reader was there.
        strays: Landings that are nobody's between this release and the butt's next, within the
            landing window.
    """

    shot_id: UUID
    slot_id: UUID
    released_at: int
    flight: int | None
    clocks: Clocks | None
    is_missing: bool
    strays: int

    @property
    def order(self) -> tuple[int, UUID]:
        """What lessons are sorted by."""
        return self.released_at, self.shot_id


# Of many lessons at once; the first is `Lesson.order`.
_ORDER = attrgetter("released_at", "shot_id")


class FlightTime(Struct, frozen=True, gc=False):
    """What to expect of an arrow's time in the air.

    Args:
        mean: Microseconds.
        sigma: Its standard deviation, microseconds.
    """

    mean: float
    sigma: float


class _Archer(Struct, frozen=True):
    """What is known of an archer's flights.

    Args:
        guess: What bow style and distance tell, microseconds.
        doubt: How far the archer may be from it.
        spread: What their shots should scatter.
        flights: By the clocks they were measured with: how many, and their mean.
        squares: Of what they scattered, in units of the spread.
        degrees: How many independent differences those are.
        unlike: How many flights were unlike the others.
    """

    guess: float
    doubt: float
    spread: float
    flights: Mapping[Clocks, tuple[int, float]]
    squares: float
    degrees: int
    unlike: int


class _Butt(Struct, frozen=True):
    """What is known of a butt as a whole.

    Args:
        rates: How often something else happens there than usual.
        scale: How the scatter, squared, relates to what was to be expected.
    """

    rates: Rates
    scale: float


class _Tally(NamedTuple):
    """What the lessons of a butt come to, counted.

    Args:
        shots: How many they are.
        missing: Of how many something was missing.
        strays: Landings that are nobody's.
        watched: How long those were looked for after releases, microseconds.
    """

    shots: int
    missing: int
    strays: int
    watched: int


class Learned:
    """What is known at a moment, and becomes more with each lesson.

    What follows from the lessons is worked out when it is asked for: of most moments it is not.

    Args:
        slots: Who shoots at the butt.
        distance_m: To the butt.
        window: The landing window, microseconds.
        lessons: What earlier shots taught, in any order.
    """

    def __init__(
        self,
        slots: Mapping[UUID, Slot],
        distance_m: float,
        window: int,
        lessons: Iterable[Lesson] = (),
    ) -> None:
        self._guesses = {s.id: first_guess(s.bowstyle, distance_m) for s in slots.values()}
        self._window = window
        self._lessons = sorted(lessons, key=_ORDER)[-REMEMBERED:]
        # Where each shot's lesson is, once one is to be dropped: hashing an id takes long.
        self._places: Mapping[UUID, int] | None = None
        self._archers: dict[UUID, _Archer] = {}
        self._butt: _Butt | None = None
        self._tally: _Tally | None = None

    def add(self, lessons: Iterable[Lesson]) -> None:
        """Take in what more shots taught."""
        new = sorted(lessons, key=_ORDER)
        known, tally = self._lessons, self._tally
        ordered = [*known, *new]
        dropped = max(0, len(ordered) - REMEMBERED)
        if known and new and new[0].order < known[-1].order:
            ordered.sort(key=_ORDER)
            tally = None
        self._keep(ordered[dropped:], [*new, *ordered[:dropped]])
        # What is counted need not be counted again with each further shot.
        self._tally = tally and self._tally_after(tally, ordered, len(known), dropped)

    def without(self, shot_ids: Iterable[UUID]) -> "Learned":
        """What would be known without the lessons of some shots."""
        # What is known of the other archers is the same, and worked out once for all copies; so is
        # where the lessons are.
        self._whole()
        self._placed()
        # As `copy` does, in a third of the time.
        others = object.__new__(Learned)
        vars(others).update(vars(self), _archers=self._archers.copy())
        others.forget(shot_ids)
        return others

    def forget(self, shot_ids: Iterable[UUID]) -> None:
        """Drop the lessons of some shots."""
        places, lessons = self._placed(), self._lessons
        gone = sorted((places[i] for i in shot_ids if i in places), reverse=True)
        tally = self._tally_without(gone[0]) if self._tally and len(gone) == 1 else None
        kept = lessons.copy()
        for place in gone:
            del kept[place]
        self._keep(kept, [lessons[place] for place in gone])
        self._tally = tally

    def _placed(self) -> Mapping[UUID, int]:
        if self._places is None:
            self._places = {lesson.shot_id: place for place, lesson in enumerate(self._lessons)}
        return self._places

    def _keep(self, lessons: list[Lesson], changed: Iterable[Lesson]) -> None:
        """Know these lessons from now on, which are others than before as far as some changed."""
        for lesson in changed:
            self._archers.pop(lesson.slot_id, None)
        self._lessons = lessons
        self._places = self._butt = self._tally = None

    def knows(self, slot_id: UUID) -> bool:
        """Whether any flight of this archer is known."""
        self._whole()
        return bool(self._archers[slot_id].flights)

    def guess(self, slot_id: UUID) -> float:
        """What the archer's bow style and the distance tell, microseconds."""
        return self._guesses[slot_id]

    def rates(self, slot_id: UUID) -> Rates:
        """How often something else happens, on this butt and to this archer."""
        seen = self._whole().rates
        if self._archers[slot_id].flights:
            return seen
        return Rates(seen.missing, seen.strays_per_s, max(seen.unlike, UNLIKE_WHEN_UNKNOWN))

    def expect(self, slot_id: UUID, clocks: Clocks) -> FlightTime:
        """The flight time of this archer's next shot.

        The first guess gives way to the archer's own flights as they come. Flights measured by
        other clocks tell of the archer, but not of what is left between these two clocks: that is
        learned from the flights that these measured.

        Args:
            slot_id: The archer's place.
            clocks: Which readers measure it.
        """
        scale, archer = self._whole().scale, self._archers[slot_id]
        square = scale * archer.spread**2
        known, weight = archer.guess, 1 / archer.doubt**2
        for other, (count, mean) in archer.flights.items():
            if other != clocks:
                gain = 1 / (SPREAD_OF_PAIRS**2 + square / count)
                known, weight = (known * weight + mean * gain) / (weight + gain), weight + gain
        weight = 1 / (1 / weight + SPREAD_OF_PAIRS**2)
        count, mean = archer.flights.get(clocks, (0, 0.0))
        gain = count / square
        known = (known * weight + mean * gain) / (weight + gain)
        return FlightTime(known, WIDER * math.sqrt(square + 1 / (weight + gain)))

    def _whole(self) -> _Butt:
        """What all lessons tell together."""
        if self._butt is None:
            self._learn()
            archers = [self._archers[slot_id] for slot_id in self._guesses]
            self._butt = _Butt(self._seen(archers), _scattered(archers))
        return self._butt

    def _learn(self) -> None:
        """Work out what is known of the archers of whom something has changed."""
        for slot_id, guess in self._guesses.items():
            if slot_id not in self._archers:
                flights = [
                    (lesson.flight, lesson.clocks)
                    for lesson in self._lessons
                    if lesson.flight is not None
                    and lesson.clocks is not None
                    and lesson.slot_id == slot_id
                ]
                self._archers[slot_id] = _archer(guess, tuple(flights))

    def _seen(self, archers: Sequence[_Archer]) -> Rates:
        tally = self._tally = self._tally or self._counted()
        first, shots = FIRST_RATES, tally.shots
        unlike = sum(archer.unlike for archer in archers)
        return Rates(
            (first.missing * SHOTS_FOR_MISSING + tally.missing) / (SHOTS_FOR_MISSING + shots),
            (first.strays_per_s * SECONDS_FOR_STRAYS + tally.strays)
            / (SECONDS_FOR_STRAYS + tally.watched / SECOND),
            (first.unlike * SHOTS_FOR_UNLIKE + unlike) / (SHOTS_FOR_UNLIKE + shots),
        )

    def _counted(self) -> _Tally:
        lessons = self._lessons
        return _Tally(
            shots=len(lessons),
            missing=sum(lesson.is_missing for lesson in lessons),
            strays=sum(lesson.strays for lesson in lessons),
            watched=sum(self._watched(*pair) for pair in pairwise(lessons)),
        )

    def _watched(self, before: Lesson, after: Lesson) -> int:
        """How long strays were looked for after a release, microseconds."""
        pause = after.released_at - before.released_at
        return pause if pause < self._window else self._window

    def _tally_after(
        self, tally: _Tally, ordered: Sequence[Lesson], known: int, dropped: int
    ) -> _Tally:
        """What the lessons come to when to the first, which are counted, the others are added, and
        some of the first are dropped."""
        shots, missing, strays, watched = tally
        for place in range(known, len(ordered)):
            missing += ordered[place].is_missing
            strays += ordered[place].strays
            if place:
                watched += self._watched(ordered[place - 1], ordered[place])
        for place in range(dropped):
            missing -= ordered[place].is_missing
            strays -= ordered[place].strays
            watched -= self._watched(ordered[place], ordered[place + 1])
        return _Tally(shots + len(ordered) - known - dropped, missing, strays, watched)

    def _tally_without(self, place: int) -> _Tally:
        """What the lessons come to without one."""
        lessons, (shots, missing, strays, watched) = self._lessons, self._tally or self._counted()
        gone = lessons[place]
        if place:
            watched -= self._watched(lessons[place - 1], gone)
        if place + 1 < len(lessons):
            watched -= self._watched(gone, lessons[place + 1])
            if place:
                watched += self._watched(lessons[place - 1], lessons[place + 1])
        return _Tally(shots - 1, missing - gone.is_missing, strays - gone.strays, watched)


def _scattered(archers: Sequence[_Archer]) -> float:
    """How the scatter on a butt, squared, relates to what was to be expected: clocks are common to
    its archers."""
    squares = [archer.squares for archer in archers]
    degrees = [archer.degrees for archer in archers]
    return (SHOTS_FOR_SPREAD + sum(squares)) / (SHOTS_FOR_SPREAD + sum(degrees))


# Of a butt's archers only one has shot since the last time; what the others' flights tell is the
# same.
@lru_cache(maxsize=2048)
def _archer(guess: float, flights: Sequence[tuple[int, Clocks]]) -> _Archer:
    spread = math.hypot(SPREAD_OF_SHOTS * guess, SPREAD_OF_EVENTS)
    doubt = SPREAD_OF_STYLE * guess
    alike = _alike(flights, guess, spread, doubt)
    if len(alike) < len(flights) >= NEW_BEGINNING:
        latest = flights[-NEW_BEGINNING:]
        if sum(flight in alike for flight in latest) <= 1:
            flights = latest
            alike = _alike(flights, guess, spread, doubt)
    by_clocks: dict[Clocks, list[int]] = {}
    for time, clocks in alike:
        by_clocks.setdefault(clocks, []).append(time)
    squares, known = 0.0, {}
    for clocks, times in by_clocks.items():
        mean = math.fsum(times) / len(times)
        off = [(time - mean) ** 2 for time in times]
        squares += sum(off)
        known[clocks] = len(times), mean
    if alike:
        # What is known of all archers weighs little against shots that all deny it.
        doubt = max(doubt, abs(_median([time for time, _ in alike]) - guess) / 2)
    return _Archer(
        guess=guess,
        doubt=doubt,
        spread=spread,
        flights=known,
        squares=squares / spread**2,
        degrees=len(alike) - len(known),
        unlike=len(flights) - len(alike),
    )


def _alike(
    flights: Sequence[tuple[int, Clocks]], guess: float, spread: float, doubt: float
) -> list[tuple[int, Clocks]]:
    """Those that fly like each other: near their median, in which the first guess has a voice."""
    times = [time for time, _ in flights]
    middle = _median([*times, *[guess] * VOICES_OF_GUESS])
    bound = max(spread, doubt / (1 + len(times)))
    if len(times) >= NEW_BEGINNING:
        # 1.4826 median deviations are a standard deviation; twice the usual is much.
        off = 1.4826 * _median([abs(time - middle) for time in times])
        bound = max(bound, min(off, 2 * spread))
    furthest = UNLIKE_FROM * bound
    return [flight for flight in flights if abs(flight[0] - middle) <= furthest]


def _median(values: Sequence[float]) -> float:
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2
