"""Landings that are nobody's, and why: a judge gives each to a shot, makes it one, or dismisses it.

Why is a function of what was shot within two landing windows before the impact, so a window of
events gives the same reasons as all events do.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from uuid import UUID

from msgspec import Struct

from core.domain.correlation import Correlation
from core.domain.flight import shortest
from core.domain.impacts import grouped
from core.domain.outcome import shot_id
from core.domain.review import Reason
from core.domain.values import Butt, Event, EventType, Rules, Shot, ShotFlag

# How many landing windows back a release may lie for a late hit to be told as late rather than as
# nobody's: a slow arrow, or two clocks that disagree.
FAR = 2


class Stray(Struct, frozen=True):
    """An impact that is nobody's.

    Args:
        landing: Its first report.
        reason: Why it is nobody's.
        deadline: Until when its release may still come; a judge is told of it after that.
        nearest_shot_id: The shot that it may belong to after all, when there is one.
        duplicates: The ids of further reports of the same impact, in their order.
    """

    landing: Event
    reason: Reason
    deadline: int
    nearest_shot_id: UUID | None
    duplicates: tuple[UUID, ...]


class _Release(Struct, frozen=True):
    at: int
    shot_id: UUID
    is_alone: bool = False


def _always(_: int) -> bool:
    return True


def explained(
    found: Correlation,
    events: Iterable[Event],
    butt: Butt,
    is_shooting: Callable[[int], bool] = _always,
) -> tuple[Stray, ...]:
    """Why each stray of a correlation is one.

    Args:
        found: What the events came to.
        events: The events.
        butt: The butt.
        is_shooting: Whether an end was open at a time; arrows are pulled outside of ends.
    """
    if not found.strays:
        return ()
    others = _duplicates(events, butt)
    releases = [_Release(each.event.at, shot_id(each.event.id)) for each in found.earlier]
    releases += [
        _Release(shot.released_at, shot.id, _is_alone(shot))
        for shot in found.shots
        if shot.release_event_id is not None
    ]
    told: list[Stray] = []
    for landing in found.strays:
        reason, nearest = _why(landing, releases, butt, is_shooting)
        deadline = _deadline(landing, butt.rules)
        told.append(Stray(landing, reason, deadline, nearest, others.get(landing.id, ())))
    return tuple(told)


def _why(
    landing: Event,
    releases: Sequence[_Release],
    butt: Butt,
    is_shooting: Callable[[int], bool],
) -> tuple[Reason, UUID | None]:
    window = butt.rules.landing_window
    begin = bisect_left(releases, landing.at - window, key=_at)
    end = bisect_right(releases, landing.at - shortest(butt.distance_m), key=_at)
    in_the_air = releases[begin:end]
    if in_the_air:
        alone = [release for release in in_the_air if release.is_alone]
        return (Reason.DOES_NOT_FIT, alone[-1].shot_id) if alone else (Reason.LEFT_OVER, None)
    if begin and releases[begin - 1].at >= landing.at - FAR * window:
        return Reason.OUT_OF_WINDOW, releases[begin - 1].shot_id
    return (Reason.NO_RELEASE if is_shooting(landing.at) else Reason.OUTSIDE_END), None


def _is_alone(shot: Shot) -> bool:
    return shot.landing_event_id is None and ShotFlag.RULED not in shot.flags


def _at(release: _Release) -> int:
    return release.at


def _deadline(landing: Event, rules: Rules) -> int:
    by_its_time = landing.at + rules.landing_window + rules.late_grace
    # What is replayed comes in any order: its release may be in the next batch.
    return max(by_its_time, landing.received_at + rules.late_grace)


def _duplicates(events: Iterable[Event], butt: Butt) -> Mapping[UUID, tuple[UUID, ...]]:
    shaft_mm = max((slot.shaft_diameter_mm for slot in butt.slots.values()), default=0.0)
    landings = {event.id: event for event in events if event.type is EventType.LANDED}
    return {
        first.id: tuple(report.id for report in rest)
        for first, *rest in grouped(landings.values(), shaft_mm)
    }
