"""Which reports of a butt's readers are one and the same impact.

A sensor may report an impact up to three times within 125 to 200 ms (published for acoustic and
camera systems), so reports that are close in time and place are one; a robin hood comes much later.
"""

import math
from collections.abc import Iterable
from dataclasses import replace

from core.domain.values import MILLISECOND, Event

SAME_IMPACT = 125 * MILLISECOND


def impacts(landings: Iterable[Event], shaft_mm: float) -> list[Event]:
    """The impacts in their order: of each, its first report, with the arrow's id if any report has
    one.

    Reports are chained: one belongs to an impact when it is under 125 ms and one shaft away from
    any report of it.

    Args:
        landings: What the butt's readers reported, in any order.
        shaft_mm: The thickest shaft that is shot at the butt.
    """
    first: list[Event] = []
    recent: list[tuple[Event, int]] = []
    for landing in sorted(landings, key=lambda each: each.order):
        recent = [(e, n) for e, n in recent if landing.at - e.at < SAME_IMPACT]
        number = next((n for e, n in recent if _same_place(e, landing, shaft_mm)), None)
        if number is None:
            number = len(first)
            first.append(landing)
        elif first[number].arrow_id is None:
            first[number] = replace(first[number], arrow_id=landing.arrow_id)
        recent.append((landing, number))
    return first


def _same_place(one: Event, other: Event, shaft_mm: float) -> bool:
    if None not in (one.arrow_id, other.arrow_id) and one.arrow_id != other.arrow_id:
        return False
    return math.hypot(one.x - other.x, one.y - other.y) < shaft_mm
