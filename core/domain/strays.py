"""Landings that are nobody's, and why: a judge gives each to a shot, makes it one, or dismisses it.

Why is a function of what was shot within two landing windows before the impact, so a window of
events gives the same reasons as all events do.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from core.domain.correlation import Correlation
from core.domain.flight import shortest
from core.domain.impacts import grouped
from core.domain.review import Reason
from core.domain.values import Butt, Event, EventType, Rules, Shot

# How many landing windows back a release may lie for a late hit to be told as late rather than as
# nobody's: a slow arrow, or two clocks that disagree.
FAR = 2


@dataclass(frozen=True, slots=True)
class Stray:
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
    released = [shot.released_at for shot in found.shots]
    told: list[Stray] = []
    for landing in found.strays:
        reason, nearest = _why(landing, found.shots, released, butt, is_shooting)
        deadline = _deadline(landing, butt.rules)
        told.append(Stray(landing, reason, deadline, nearest, others.get(landing.id, ())))
    return tuple(told)


def _why(
    landing: Event,
    shots: Sequence[Shot],
    released: Sequence[int],
    butt: Butt,
    is_shooting: Callable[[int], bool],
) -> tuple[Reason, UUID | None]:
    window = butt.rules.landing_window
    begin = bisect_left(released, landing.at - window)
    end = bisect_right(released, landing.at - shortest(butt.distance_m))
    in_the_air = shots[begin:end]
    if in_the_air:
        alone = [shot for shot in in_the_air if shot.landing_event_id is None]
        return (Reason.DOES_NOT_FIT, alone[-1].id) if alone else (Reason.LEFT_OVER, None)
    if begin and released[begin - 1] >= landing.at - FAR * window:
        return Reason.OUT_OF_WINDOW, shots[begin - 1].id
    return (Reason.NO_RELEASE if is_shooting(landing.at) else Reason.OUTSIDE_END), None


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
