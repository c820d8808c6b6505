"""Who shoots when: archers in turn, each an arrow every 14 s at most."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from bench.load.job import Field
from simulators.tournament import CENTRES, LETTERS
from simulators.wire import random_id

# An archer's arrows are so far apart at least, in life.
LEAST_SPACING_S = 14.0
ENGAGE_BEFORE_S = 3.0
FLIGHT_S, FLIGHT_SPREAD_S = 0.34, 0.01
GROUP_MM = 60.0
EVENTS_A_SHOT = 3


@dataclass(frozen=True, slots=True)
class Event:
    """What a reader will say.

    Args:
        at: Seconds after the begin.
        butt: Which, from 0.
        event_id: Its id.
        reader_id: Who says it.
        type: Such as `arrow_landed`.
        begins: When its shot begins, of which it is the first event or a later one.
        x: Millimetres, of a landing.
        y: Millimetres, of a landing.
    """

    at: float
    butt: int
    event_id: str
    reader_id: str
    type: str
    begins: float
    x: float | None = None
    y: float | None = None

    def text(self, ts: str) -> str:
        """Its JSON."""
        where = "" if self.x is None else f',"x":{self.x},"y":{self.y}'
        return (
            f'{{"event_id":"{self.event_id}","reader_id":"{self.reader_id}",'
            f'"type":"{self.type}","ts":"{ts}"{where}}}'
        )


class Shooting:
    """A field in which everybody shoots in turn, so that a butt's arrows are never two at once.

    Args:
        field: Who shoots.
        rng: Draws ids, flights and landings.
    """

    def __init__(self, field: Field, rng: random.Random) -> None:
        self._rng = rng
        # The first archers of all butts, then the second ones: a butt's arrows are far apart.
        most = max(len(butt.bow_readers) for butt in field.butts)
        self._archers = [
            (number, butt.bow_readers[place], butt.target_reader, CENTRES[LETTERS[place]])
            for place in range(most)
            for number, butt in enumerate(field.butts)
            if place < len(butt.bow_readers)
        ]
        self._next = 0

    def pace(self, events_per_s: float, begin: float, end: float) -> Iterator[Event]:
        """Shots whose releases lie in between, evenly.

        Raises:
            ValueError: The archers would have to shoot faster than archers do.
        """
        every = EVENTS_A_SHOT / events_per_s
        if every * len(self._archers) < LEAST_SPACING_S:
            raise ValueError(f"{len(self._archers)} archers cannot shoot {events_per_s:g} events/s")
        for number in range(int((end - begin) / every)):
            yield from self._shot(begin + number * every)

    def fastest(self, shots: int, end: float) -> Iterator[Event]:
        """So many shots, as quickly as archers shoot, the last before the end."""
        every = 1.5 * LEAST_SPACING_S / len(self._archers)
        for number in range(shots):
            yield from self._shot(end - (shots - number) * every)

    def _shot(self, released: float) -> Iterator[Event]:
        butt, bow, target, centre = self._archers[self._next]
        self._next = (self._next + 1) % len(self._archers)
        draw = self._rng
        landed = released + FLIGHT_S + draw.uniform(-FLIGHT_SPREAD_S, FLIGHT_SPREAD_S)
        x, y = (round(draw.gauss(middle, GROUP_MM), 1) for middle in centre)
        begins = released - ENGAGE_BEFORE_S
        yield Event(begins, butt, random_id(draw), bow, "arrow_engage", begins)
        yield Event(released, butt, random_id(draw), bow, "arrow_release", begins)
        yield Event(landed, butt, random_id(draw), target, "arrow_landed", begins, x, y)
