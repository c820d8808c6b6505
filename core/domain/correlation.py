"""From what the readers of a butt said to its shots: a function of a set of events.

The same events give the same shots, in whatever order, batch or repetition they came: everything is
sorted first and derived anew. The shots are gone through in the order of time, since each teaches
something about those that follow.
"""

from collections.abc import Iterable, Sequence
from uuid import UUID

from msgspec import Struct

from core.domain.contest import Contest
from core.domain.decision import decide
from core.domain.impacts import grouped, named, repeated
from core.domain.learning import Lesson
from core.domain.opening import Draft
from core.domain.outcome import shot_id
from core.domain.rulings import (
    NO_VERDICTS,
    Verdicts,
    judged,
    made_shot,
    pinned_shot,
)
from core.domain.timeline import Release, hasty, releases
from core.domain.told_twice import told_twice
from core.domain.values import BY_ORDER, Butt, Event, EventType, Shot
from core.domain.window import ALWAYS, Span


class Correlation(Struct, frozen=True):
    """What the events of a butt come to.

    Args:
        shots: One for each release, and those that a judge made of landings, in the order of the
            releases.
        strays: Impacts during the session that are nobody's, in their order.
        lessons: What the decided shots teach about those that follow.
        earlier: What was read of releases before the span.
    """

    shots: tuple[Shot, ...]
    strays: tuple[Event, ...]
    lessons: tuple[Lesson, ...] = ()
    earlier: tuple[Release, ...] = ()


def correlate(
    events: Iterable[Event],
    butt: Butt,
    as_of: int,
    *,
    span: Span = ALWAYS,
    lessons: Iterable[Lesson] = (),
    ruled: Verdicts = NO_VERDICTS,
    draft: Draft | None = None,
) -> Correlation:
    """Derive the shots of one butt.

    Args:
        events: What its readers said, in any order; one with an id that came before is the same
            event.
        butt: The butt and its archers.
        as_of: Now: it decides only what is still in flight, missed or unresolved.
        span: When the shots that are wanted were released; no arrow is in the air at its ends. What
            was said before only tells what was nocked and drawn.
        lessons: What the latest shots before the span taught: none, or at least those of the
            butt's opening, since shots of the opening are decided together.
        ruled: What judges said, which stands whatever the events are.
        draft: How the butt's opening was decided the last time, with fewer or other events: it only
            saves time. It is written anew.
    """
    known = list({event.id: event for event in events}.values())
    shot, reported = _releases(known, butt), _reported(known, butt)
    suspects = hasty(shot) | repeated(map(named, reported), _thickest_shaft(butt))
    within = [release for release in shot if span.begin <= release.event.at <= span.end]
    contest = Contest(
        [release for release in within if not _is_pinned(release, ruled)],
        [e for e in _free(reported, ruled) if span.begin <= e.at <= span.end],
        butt,
        _doubtful(reported, ruled),
    )
    found = decide(contest, list(lessons), suspects, as_of, draft or Draft())
    if ruled == NO_VERDICTS:
        return Correlation(found.shots, found.strays, found.lessons, _before(span, shot))
    theirs = [
        pinned_shot(release, ruled, butt, as_of, suspects)
        for release in within
        if _is_pinned(release, ruled)
    ]
    theirs += _made(known, ruled, butt, span, as_of)
    return Correlation(
        _judged([*found.shots, *theirs], known, ruled, butt),
        found.strays,
        found.lessons,
        _before(span, shot),
    )


def _before(span: Span, loosed: Iterable[Release]) -> tuple[Release, ...]:
    return tuple(release for release in loosed if release.event.at < span.begin)


def _free(reported: Iterable[Sequence[Event]], ruled: Verdicts) -> list[Event]:
    """The impacts that no judge gave to anybody: whoever was given one report of an impact has the
    whole of it."""
    taken = ruled.taken
    return [
        named(reports)
        for reports in reported
        if not taken or taken.isdisjoint(report.id for report in reports)
    ]


def _is_pinned(release: Release, ruled: Verdicts) -> bool:
    return bool(ruled.landings) and shot_id(release.event.id) in ruled.landings


def _made(
    events: Iterable[Event], ruled: Verdicts, butt: Butt, span: Span, as_of: int
) -> list[Shot]:
    """The shots that a judge made of landings."""
    grace = butt.rules.landing_window
    return [
        made_shot(event, ruled.made[event.id], butt, as_of)
        for event in events
        if event.id in ruled.made
        and span.begin <= event.at <= span.end
        and _is_open(event.at, butt, grace)
    ]


def _judged(
    shots: Iterable[Shot], events: Iterable[Event], ruled: Verdicts, butt: Butt
) -> tuple[Shot, ...]:
    """All shots with what judges said of them, in the order of their releases."""
    landings = {event.id: event for event in events if event.type is EventType.LANDED}
    landings |= {event.id: event for event in ruled.landings.values() if event is not None}
    final = [
        judged(s, ruled, landings[s.landing_event_id] if s.landing_event_id else None, butt)
        for s in shots
    ]
    final = told_twice(final, butt.rules.landing_window)
    return tuple(sorted(final, key=lambda shot: (shot.released_at, shot.id)))


def _is_open(at: int, butt: Butt, grace: int = 0) -> bool:
    return butt.opens_at <= at and (butt.closes_at is None or at <= butt.closes_at + grace)


def _releases(events: Sequence[Event], butt: Butt) -> list[Release]:
    by_slot: dict[UUID, list[Event]] = {}
    slot_of_archer = {slot.archer_id: slot.id for slot in butt.slots.values()}
    for event in events:
        slot_id = event.slot_id
        if slot_id is None and event.arrow_id is not None and event.type is EventType.IDENTIFIED:
            # An arrow reader that serves a whole butt: the arrow's owner says whose it is.
            owner = butt.arrow_owners.get(event.arrow_id)
            slot_id = slot_of_archer.get(owner) if owner is not None else None
        if slot_id is None or slot_id not in butt.slots:
            continue
        if event.type is not EventType.LANDED:
            by_slot.setdefault(slot_id, []).append(event)
    found = [r for slot, said in by_slot.items() for r in releases(slot, said, butt.rules)]
    during = [release for release in found if _is_open(release.event.at, butt)]
    return sorted(during, key=lambda release: release.event.order)


def _reported(events: Sequence[Event], butt: Butt) -> list[list[Event]]:
    """The reports of each impact during the session, in their order."""
    landings = [event for event in events if event.type is EventType.LANDED]
    # What was shot in time may land after the end of the session.
    grace = butt.rules.landing_window
    found = grouped(landings, _thickest_shaft(butt))
    return [reports for reports in found if _is_open(reports[0].at, butt, grace)]


def _doubtful(reported: Iterable[Sequence[Event]], ruled: Verdicts) -> list[Event]:
    """All reports of impacts that were reported more than once, but for those of which a judge said
    whose they are."""
    several = [report for reports in reported if len(reports) > 1 for report in reports]
    if not several:
        return []
    unknown = (report for report in several if report.id not in ruled.taken)
    return sorted(unknown, key=BY_ORDER)


def _thickest_shaft(butt: Butt) -> float:
    return max((slot.shaft_diameter_mm for slot in butt.slots.values()), default=0.0)
