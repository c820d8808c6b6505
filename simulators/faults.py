"""What goes wrong on the way.

Each fault takes what is to be sent and gives what is sent instead.
"""

import random
from collections.abc import Callable, Sequence
from copy import replace
from dataclasses import dataclass

from simulators.wire import WireEvent


@dataclass(frozen=True, slots=True)
class Sending:
    """An event and when it leaves, in seconds after the tournament's start."""

    at: float
    event: WireEvent


type Fault = Callable[[Sequence[Sending], random.Random], list[Sending]]


def drop(share: float) -> Fault:
    """Some events never leave."""
    return lambda sendings, rng: [s for s in sendings if rng.random() >= share]


def duplicate(share: float) -> Fault:
    """Some events leave twice, the second time up to 10 s later."""

    def apply(sendings: Sequence[Sending], rng: random.Random) -> list[Sending]:
        twice = [replace(s, at=s.at + rng.uniform(0, 10)) for s in sendings if rng.random() < share]
        return [*sendings, *twice]

    return apply


def delay(share: float, longest_s: float) -> Fault:
    """Some events leave up to `longest_s` seconds late."""

    def apply(sendings: Sequence[Sending], rng: random.Random) -> list[Sending]:
        return [
            replace(s, at=s.at + rng.uniform(0, longest_s)) if rng.random() < share else s
            for s in sendings
        ]

    return apply


def reorder(within_s: float = 2.0) -> Fault:
    """Events leave in another order than they happened, none more than `within_s` seconds late."""
    return lambda sendings, rng: [replace(s, at=s.at + rng.uniform(0, within_s)) for s in sendings]


def clock_offset(largest_s: float) -> Fault:
    """Each reader's clock is ahead or behind by up to `largest_s` seconds, always the same."""

    def apply(sendings: Sequence[Sending], rng: random.Random) -> list[Sending]:
        readers = sorted({s.event.reader_id for s in sendings})
        ahead = {reader: round(rng.uniform(-largest_s, largest_s), 3) for reader in readers}
        return [
            replace(s, event=replace(s.event, clock_ahead_s=ahead[s.event.reader_id]))
            for s in sendings
        ]

    return apply


def clock_noise(spread_s: float) -> Fault:
    """No two clocks tell the same instant alike: each event's time is off by some `spread_s`
    seconds, normally distributed."""
    return lambda sendings, rng: [
        replace(s, event=replace(s.event, at=round(s.event.at + rng.gauss(0, spread_s), 3)))
        for s in sendings
    ]


def clock_jump(by_s: float) -> Fault:
    """One reader's clock is set by so many seconds in the middle of everything."""

    def apply(sendings: Sequence[Sending], rng: random.Random) -> list[Sending]:
        reader = rng.choice(sorted({s.event.reader_id for s in sendings}))
        middle = (sendings[0].event.at + sendings[-1].event.at) / 2
        return [
            (
                replace(s, event=replace(s.event, clock_ahead_s=s.event.clock_ahead_s + by_s))
                if s.event.reader_id == reader and s.event.at >= middle
                else s
            )
            for s in sendings
        ]

    return apply


def clock_drift(largest_ppm: float) -> Fault:
    """Each reader's clock gains or loses up to so many millionths of the time that passes."""

    def apply(sendings: Sequence[Sending], rng: random.Random) -> list[Sending]:
        readers = sorted({s.event.reader_id for s in sendings})
        pace = {reader: rng.uniform(-largest_ppm, largest_ppm) / 1e6 for reader in readers}
        return [replace(s, event=_drifted(s.event, pace[s.event.reader_id])) for s in sendings]

    return apply


def _drifted(event: WireEvent, pace: float) -> WireEvent:
    return replace(event, clock_ahead_s=event.clock_ahead_s + pace * event.at)


def afflicted(
    events: Sequence[WireEvent], faults: Sequence[Fault], rng: random.Random
) -> list[Sending]:
    """Events as they leave, in the order of their leaving."""
    sendings = [Sending(event.at, event) for event in events]
    for fault in faults:
        sendings = fault(sendings, rng)
    return sorted(sendings, key=lambda s: (s.at, s.event.event_id))
