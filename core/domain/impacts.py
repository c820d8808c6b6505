"""Which reports of a butt's readers are one and the same impact.

A sensor may report an impact up to three times within 125 to 200 ms (published for acoustic and
camera systems), so reports that are close in time and place are one; a robin hood comes much later.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from uuid import UUID

from core.domain.values import MILLISECOND, Event

SAME_IMPACT = 125 * MILLISECOND
# Two impacts that are this close in time, and within two shafts, may still be one.
SUSPECT_IMPACT = 1_000 * MILLISECOND


def impacts(landings: Iterable[Event], shaft_mm: float) -> list[Event]:
    """The impacts in their order: of each, its first report, with the arrow's id if any report has
    one.

    Reports are chained: one belongs to an impact when it is under 125 ms and one shaft away from
    any report of it, and none of them names another arrow.

    Args:
        landings: What the butt's readers reported, in any order.
        shaft_mm: The thickest shaft that is shot at the butt.
    """
    return [_named(reports) for reports in grouped(landings, shaft_mm)]


def grouped(landings: Iterable[Event], shaft_mm: float) -> list[list[Event]]:
    """The reports of each impact, in their order; arguments as for `impacts`."""
    found: list[list[Event]] = []
    recent: list[tuple[Event, list[Event]]] = []
    for landing in sorted(landings, key=lambda each: each.order):
        recent = [(e, group) for e, group in recent if landing.at - e.at < SAME_IMPACT]
        near = (group for e, group in recent if _same_place(e, landing, shaft_mm))
        group = next((group for group in near if _may_be_named(group, landing)), None)
        if group is None:
            group = []
            found.append(group)
        group.append(landing)
        recent.append((landing, group))
    return found


def _named(reports: Sequence[Event]) -> Event:
    """The first report, with the arrow's id if any of them has one."""
    first = reports[0]
    named = next((report.arrow_id for report in reports if report.arrow_id is not None), None)
    return first if named == first.arrow_id else replace(first, arrow_id=named)


def _may_be_named(reports: Iterable[Event], landing: Event) -> bool:
    """Whether no report names another arrow: one without a name must not make two arrows one."""
    named = {report.arrow_id for report in (*reports, landing)} - {None}
    return len(named) <= 1


def _same_place(one: Event, other: Event, shaft_mm: float) -> bool:
    if not _may_be_named((one,), other):
        return False
    return math.hypot(one.x - other.x, one.y - other.y) < shaft_mm


def repeated(landed: Sequence[Event], shaft_mm: float) -> set[UUID]:
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
