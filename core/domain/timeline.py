"""A slot's timeline: which engage and which arrow belong to each release."""

from collections.abc import Iterable
from uuid import UUID

from msgspec import Struct

from core.domain.values import BY_ORDER, SECOND, Event, EventType, Rules

# Nobody nocks, draws and shoots again in less; a reader that trembles for longer than the debounce
# says so.
HASTY = 2 * SECOND


class Release(Struct, frozen=True, gc=False):
    """An arrow that left a bow.

    Args:
        event: The release.
        slot_id: From which place.
        engaged_at: When that bow was drawn for it; None: not seen.
        arrow_id: The arrow that was nocked; None: not seen.
    """

    event: Event
    slot_id: UUID
    engaged_at: int | None
    arrow_id: UUID | None


class _Engage(Struct, frozen=True):
    at: int
    arrow_id: UUID | None


def _drawn(event: Event, named: Event | None, rules: Rules) -> _Engage:
    if event.arrow_id is not None:
        return _Engage(event.at, event.arrow_id)
    if named is None or event.at - named.at > rules.association_window:
        return _Engage(event.at, None)
    return _Engage(event.at, named.arrow_id)


def releases(slot_id: UUID, events: Iterable[Event], rules: Rules) -> list[Release]:
    """The releases of one slot, in their order, each with what came before it.

    An arrow that is identified is the next engage's, within the association window. A second engage
    before a release is a let-down. A release takes the last engage within `hold_max`. Releases that
    follow each other within `debounce` are the first of them, however many: a string that is still
    swinging cannot have shot again.

    Args:
        slot_id: The slot.
        events: All events of its readers, in any order.
        rules: The session's.
    """
    found: list[Release] = []
    named: Event | None = None
    engage: _Engage | None = None
    last_release: int | None = None
    for event in sorted(events, key=BY_ORDER):
        if event.type is EventType.IDENTIFIED:
            named = event
        elif event.type is EventType.ENGAGE:
            engage, named = _drawn(event, named, rules), None
        elif event.type is EventType.RELEASE:
            bounced = last_release is not None and event.at - last_release <= rules.debounce
            last_release = event.at
            if not bounced:
                found.append(_release(slot_id, event, engage, rules))
                engage = named = None
    return found


def _release(slot_id: UUID, event: Event, engage: _Engage | None, rules: Rules) -> Release:
    if engage is None or event.at - engage.at > rules.hold_max:
        return Release(event, slot_id, None, None)
    return Release(event, slot_id, engage.at, engage.arrow_id)


def hasty(shot: Iterable[Release]) -> set[UUID]:
    """The releases that follow one of the same place sooner than anyone can shoot again.

    Args:
        shot: The butt's releases, in their order.
    """
    last: dict[UUID, int] = {}
    found: set[UUID] = set()
    for release in shot:
        before = last.get(release.slot_id)
        if before is not None and release.event.at - before < HASTY:
            found.add(release.event.id)
        last[release.slot_id] = release.event.at
    return found
