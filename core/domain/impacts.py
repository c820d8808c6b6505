"""Which reports of a butt's readers are one and the same impact.

A sensor may report an impact up to three times within 125 to 200 ms (published for acoustic and
camera systems), so reports that are close in time and place are one, and no longer than that. What
a reader that stutters says after it may be somebody else's arrow; a robin hood comes much later.
"""

import math
from collections.abc import Iterable, Sequence
from copy import replace
from dataclasses import dataclass, field
from uuid import UUID

from core.domain.values import BY_ORDER, MILLISECOND, Event

# Reports of one impact follow each other within less than this, and its first within no more than
# that.
SAME_IMPACT = 125 * MILLISECOND
LONGEST_IMPACT = 200 * MILLISECOND
# Impacts are looked for so often among the reports that earlier looks left over. Once would do if
# it were not for names: what joins nothing because of its name may have repetitions of its own.
ROUNDS = 2
# How long before a report others can lie that decide which impact it belongs to.
IMPACT_REACH = ROUNDS * (SAME_IMPACT + LONGEST_IMPACT)
# Two impacts that are this close in time, and within two shafts, may still be one.
SUSPECT_IMPACT = 1_000 * MILLISECOND


@dataclass(slots=True)
class _Impact:
    """An impact that reports are still looked for.

    Args:
        reports: Those that are its own; the first one began it.
        reached: With those that it could have, but an earlier impact has.
        arrow_id: The arrow that any of these names.
    """

    reports: list[Event]
    reached: list[Event] = field(default_factory=list)
    arrow_id: UUID | None = None

    def reaches(self, report: Event, shaft_mm: float) -> bool:
        """Whether it could have a later report."""
        if None not in (self.arrow_id, report.arrow_id) and self.arrow_id != report.arrow_id:
            return False
        return any(_repeats(report, each, shaft_mm) for each in self.reached)

    def reach(self, report: Event) -> None:
        """Keep a report that it could have."""
        self.reached.append(report)
        self.arrow_id = self.arrow_id or report.arrow_id


def grouped(landings: Iterable[Event], shaft_mm: float) -> list[list[Event]]:
    """The reports of each impact, in their order; `named` says what was reported.

    An impact begins with a report that repeats none. Others belong to it within 200 ms, when they
    are chained to it: each under 125 ms and one shaft away from another one, none naming another
    arrow. What a reader goes on to say without a pause, after that, is each an impact of its own.

    So which impact a report belongs to depends on no more than `IMPACT_REACH` before it, however
    long a reader stutters: a window of events gives what all events give.

    Args:
        landings: What the butt's readers reported, in any order.
        shaft_mm: The thickest shaft that is shot at the butt.
    """
    found: list[list[Event]] = []
    left = sorted(landings, key=BY_ORDER)
    for _ in range(ROUNDS):
        new, left = _round(left, shaft_mm)
        found += new
    found += [[report] for report in left]
    return sorted(found, key=lambda reports: reports[0].order)


def _round(landings: Iterable[Event], shaft_mm: float) -> tuple[list[list[Event]], list[Event]]:
    """The impacts that begin with a report that repeats none of these, and what is left."""
    found: list[_Impact] = []
    left: list[Event] = []
    current: list[_Impact] = []
    recent: list[Event] = []
    for report in landings:
        current = [i for i in current if report.at - i.reports[0].at <= LONGEST_IMPACT]
        recent = [each for each in recent if report.at - each.at < SAME_IMPACT]
        theirs = _of(report, current, shaft_mm)
        if theirs is not None:
            theirs.reports.append(report)
        elif any(_repeats(report, each, shaft_mm) for each in recent):
            left.append(report)
        else:
            begun = _Impact([report])
            begun.reach(report)
            found.append(begun)
            current.append(begun)
        recent.append(report)
    return [impact.reports for impact in found], left


def _of(report: Event, current: Iterable[_Impact], shaft_mm: float) -> _Impact | None:
    """The impact that a report belongs to: the first that could have it, but rather the one of the
    arrow that it names."""
    possible = [impact for impact in current if impact.reaches(report, shaft_mm)]
    if not possible:
        return None
    of_arrow = (i for i in possible if i.arrow_id is not None and i.arrow_id == report.arrow_id)
    theirs = next(of_arrow, possible[0])
    for impact in possible:
        impact.reach(report)
    return theirs


def named(reports: Sequence[Event]) -> Event:
    """The impact that was reported: its first report, with the arrow's id if any of them has
    one."""
    first = reports[0]
    if len(reports) == 1:
        return first
    name = next((report.arrow_id for report in reports if report.arrow_id is not None), None)
    return first if name == first.arrow_id else replace(first, arrow_id=name)


def _repeats(report: Event, earlier: Event, shaft_mm: float) -> bool:
    return report.at - earlier.at < SAME_IMPACT and _same_place(earlier, report, shaft_mm)


def _same_place(one: Event, other: Event, shaft_mm: float) -> bool:
    if None not in (one.arrow_id, other.arrow_id) and one.arrow_id != other.arrow_id:
        return False
    return math.hypot(one.x - other.x, one.y - other.y) < shaft_mm


def repeated(landed: Iterable[Event], shaft_mm: float) -> set[UUID]:
    """The impacts that may be one before them, reported once more.

    Args:
        landed: The butt's impacts, in their order.
        shaft_mm: The thickest shaft that is shot at the butt.
    """
    found: set[UUID] = set()
    recent: list[Event] = []
    for landing in landed:
        recent = [event for event in recent if landing.at - event.at < SUSPECT_IMPACT]
        if any(_same_place(event, landing, 2 * shaft_mm) for event in recent):
            found.add(landing.id)
        recent.append(landing)
    return found
