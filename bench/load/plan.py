"""A job's events as requests, ready before the clock starts."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import batched

from bench.load.begin import Begin
from bench.load.job import Backlog, Live
from bench.load.sender import Request
from bench.load.shooting import ENGAGE_BEFORE_S, EVENTS_A_SHOT, Event, Shooting

# A backlog happened before anything that happens now.
BACKLOG_ENDS_AT_S = -60.0


@dataclass(frozen=True, slots=True)
class LivePlan:
    """What is sent as it happens: all requests in order, and the landings by id."""

    requests: Sequence[Request]
    landings: dict[bytes, tuple[str, float]]


def live_events(
    live: Live, rng: random.Random
) -> tuple[list[Event], dict[bytes, tuple[str, float]]]:
    """What happens in all phases, in order, and the landings by id."""
    shooting = Shooting(live.field, rng)
    events: list[Event] = []
    landings: dict[bytes, tuple[str, float]] = {}
    at = ENGAGE_BEFORE_S
    for phase in live.phases:
        came = list(shooting.pace(phase.events_per_s, at, at + phase.seconds))
        landings |= {
            e.event_id.encode(): (phase.name, e.at) for e in came if e.type == "arrow_landed"
        }
        events += came
        at += phase.seconds
    return sorted(events, key=lambda event: event.at), landings


def plan_live(live: Live, begin: Begin, rng: random.Random) -> LivePlan:
    """Each event by itself, at its own time."""
    events, landings = live_events(live, rng)
    return LivePlan([_now(event, begin) for event in events], landings)


def late_events(backlog: Backlog, rng: random.Random) -> list[Event]:
    """What a backlog holds, in order."""
    shots = backlog.events // EVENTS_A_SHOT
    fastest = Shooting(backlog.field, rng).fastest(shots, BACKLOG_ENDS_AT_S)
    return sorted(fastest, key=lambda event: event.at)


@dataclass(frozen=True, slots=True)
class BacklogPlan:
    """What is sent late: requests by the gateway that buffered them, and the landings' ids."""

    by_gateway: Sequence[Sequence[Request]]
    landings: set[bytes]


def plan_backlog(backlog: Backlog, begin: Begin, rng: random.Random) -> BacklogPlan:
    """Each gateway has its own butts, and kept what they said in order."""
    events = late_events(backlog, rng)
    kept: list[list[Event]] = [[] for _ in range(backlog.connections)]
    for event in events:
        kept[event.butt % backlog.connections].append(event)
    landings = {e.event_id.encode() for e in events if e.type == "arrow_landed"}
    by_gateway = [[_late(some, begin) for some in batched(k, backlog.batch)] for k in kept]
    return BacklogPlan(by_gateway, landings)


def _now(event: Event, begin: Begin) -> Request:
    ts = begin.ts(event.at)
    body = f'{{"sent_at":"{ts}","events":[{event.text(ts)}]}}'.encode()
    landing = event.event_id.encode() if event.type == "arrow_landed" else b""
    return Request(event.at, body, 1, event.begins, landing)


def _late(events: Iterable[Event], begin: Begin) -> Request:
    texts = [event.text(begin.ts(event.at)) for event in events]
    return Request(0.0, f'{{"events":[{",".join(texts)}]}}'.encode(), len(texts))
