"""How much of a butt's time must be derived anew when something about it has become known.

A window is right when nothing outside it can touch the shots inside: it is cut where no arrow is in
the air, and read with as much before it as a timeline looks back.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from uuid import UUID

from msgspec import Struct

from core.domain.impacts import IMPACT_REACH, LONGEST_IMPACT, SUSPECT_IMPACT
from core.domain.timeline import HASTY
from core.domain.values import Event, EventType, Rules


class Span(Struct, frozen=True):
    """A stretch of time, both ends included, in microseconds.

    Args:
        begin: The first instant.
        end: The last instant.
    """

    begin: int
    end: int

    def joined(self, other: "Span") -> "Span":
        """The shortest span that holds both."""
        return Span(min(self.begin, other.begin), max(self.end, other.end))


ALWAYS = Span(-(2**62), 2**62)


def joined(spans: Iterable[tuple[UUID, Span]]) -> dict[UUID, Span]:
    """For each target the shortest span that holds all of its spans."""
    found: dict[UUID, Span] = {}
    for target_id, span in spans:
        before = found.get(target_id)
        found[target_id] = span if before is None else before.joined(span)
    return found


class Reading(Struct, frozen=True):
    """What of a butt's events is to be read.

    Args:
        span: When they happened, both ends included.
        landings_from: Since when landings among them matter: what was shot long before the span
            that is wanted has landed long before, and only what was drawn matters of that time.
    """

    span: Span
    landings_from: int

    def of(self, events: Iterable[Event]) -> list[Event]:
        """Those of the events that are to be read, in their order."""
        begin, end, landings_from = self.span.begin, self.span.end, self.landings_from
        return [
            event
            for event in events
            if begin <= event.at <= end
            and (event.at >= landings_from or event.type is not EventType.LANDED)
        ]


def touched(event_type: EventType, at: int, rules: Rules) -> Span:
    """When the releases lie whose shots an event can change."""
    if event_type is EventType.LANDED:
        # It may be a report of an impact before it, and decide which reports after it begin one.
        begin = at - rules.landing_window - LONGEST_IMPACT
        return Span(begin, at + IMPACT_REACH + SUSPECT_IMPACT)
    # A stray looks back two landing windows for the release that it may have been too late for.
    reach = max(rules.hold_max, 2 * rules.landing_window, HASTY) + rules.debounce
    return Span(
        at, at + reach + (rules.association_window if event_type is EventType.IDENTIFIED else 0)
    )


def look_back(rules: Rules) -> int:
    """How long before a release something can lie that matters to it."""
    reach = max(rules.hold_max, rules.landing_window, HASTY, SUSPECT_IMPACT)
    return reach + rules.association_window + 2 * rules.debounce + IMPACT_REACH


def reading(span: Span, rules: Rules, margin: int) -> Reading:
    """What to read in order to derive the shots released within a span.

    Args:
        span: Of the releases.
        rules: The session's.
        margin: Room on either side to find a moment in which no arrow is in the air.
    """
    begin = span.begin - margin
    return Reading(
        Span(begin - look_back(rules), span.end + rules.landing_window + margin),
        begin - SUSPECT_IMPACT - IMPACT_REACH,
    )


def cut(span: Span, releases: Sequence[int], rules: Rules) -> Span:
    """The span, widened to moments at which no arrow is in the air.

    Args:
        span: Of the releases to derive.
        releases: When arrows were released in what was read, in order.
        rules: The session's.
    """
    begin, end, window = span.begin, span.end, rules.landing_window
    place = bisect_left(releases, begin)
    while place > 0 and releases[place - 1] >= begin - window:
        place -= 1
        begin = releases[place]
    place = bisect_right(releases, end)
    while place > 0 and releases[place - 1] > end - window:
        end = releases[place - 1] + window
        following = bisect_right(releases, end)
        if following == place:
            break
        place = following
    return Span(begin, end)


def is_whole(wanted: Span, read: Span, rules: Rules) -> bool:
    """Whether what was read suffices to derive the shots released within a span."""
    enough_before = wanted.begin - look_back(rules) - rules.landing_window >= read.begin
    return enough_before and wanted.end + rules.landing_window <= read.end
