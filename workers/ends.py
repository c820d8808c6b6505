"""Shots placed in their ends: what the derivation of a window means for the whole ends that it
touches."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from core.domain.ends import EndControl, EndRules, Judging, Placed, faces_with_spots, settle
from core.domain.outcome import measure
from core.domain.scoring import Score
from core.domain.values import Shot, Slot
from core.domain.window import Span
from core.models.correlated_shot import StoredShot
from core.models.instants import FOREVER
from core.models.shot_of_end import Arrows, Counted, select_from_end, select_within
from core.postgres import Connection
from workers.windows import Window

# Where no rule about ends applies, all is one end.
ONLY_END = 1


@dataclass(frozen=True, slots=True)
class Settled:
    """Shots as they count.

    Args:
        shots: Those that were derived, and the others of the ends that they fall in; each with its
            target, by its id.
        known: Those of both that are stored, as they are.
    """

    shots: Mapping[UUID, tuple[UUID, Placed]]
    known: Mapping[UUID, StoredShot]


@dataclass(frozen=True, slots=True)
class _Place:
    """A slot whose arrows are placed in ends."""

    window: Window
    slot: Slot
    rules: EndRules


async def settled(
    conn: Connection,
    windows: Sequence[Window],
    derived: Mapping[UUID, tuple[UUID, Shot]],
    known: Mapping[UUID, StoredShot],
) -> Settled:
    """Place what was derived in its ends, and value it by the ends' rules.

    Args:
        conn: In the transaction that writes it.
        windows: What was derived.
        derived: Its shots with their targets, by id.
        known: The shots that are stored of these windows.
    """
    shots = {i: (target, Placed(shot, ONLY_END)) for i, (target, shot) in derived.items()}
    places = _places(windows)
    if not places:
        return Settled(shots, known)
    by_slot = _by_slot(derived, places)
    shots |= _strangers(windows, derived, places)
    others: dict[UUID, StoredShot] = {}
    for slot_id, kept in (await _arrows(conn, places)).items():
        place = places[slot_id]
        beside = [s for s in kept.shots if s.shot.id not in known and s.shot.id not in derived]
        mine = [*by_slot.get(slot_id, []), *(each.shot for each in beside)]
        judging = _judging(place.slot, place.window)
        for placed in settle(mine, place.rules, judging, before=kept.before):
            shots[placed.shot.id] = (place.window.target_id, placed)
        others |= {each.shot.id: each for each in beside}
    return Settled(shots, {**known, **others})


def _by_slot(
    derived: Mapping[UUID, tuple[UUID, Shot]], places: Mapping[UUID, _Place]
) -> dict[UUID, list[Shot]]:
    """What was shot at the slots' own butts."""
    by_slot: dict[UUID, list[Shot]] = {}
    for target_id, shot in derived.values():
        if _is_at_home(shot, target_id, places):
            by_slot.setdefault(shot.slot_id, []).append(shot)
    return by_slot


def _is_at_home(shot: Shot, target_id: UUID, places: Mapping[UUID, _Place]) -> bool:
    place = places.get(shot.slot_id)
    return place is not None and place.window.target_id == target_id


def _strangers(
    windows: Sequence[Window],
    derived: Mapping[UUID, tuple[UUID, Shot]],
    places: Mapping[UUID, _Place],
) -> dict[UUID, tuple[UUID, Placed]]:
    """What a judge gave to archers of other butts: a judge's end is one for all butts, so its time
    tells which it is of; ends by count are each butt's own, and it is of none of them."""
    rules = {
        window.target_id: (window.placed.end_rules, _alone(window))
        for window in windows
        if window.placed.end_rules is not None
        and window.placed.end_rules.control is EndControl.MANUAL
    }
    return {
        shot_id: (target_id, settle([shot], *rules[target_id])[0])
        for shot_id, (target_id, shot) in derived.items()
        if target_id in rules and not _is_at_home(shot, target_id, places)
    }


def _alone(window: Window) -> Judging:
    """Of one arrow alone, which is none too many: only whether a judge said what it counts."""
    verdicts = window.placed.verdicts
    return Judging(lambda _: None, lambda shot: verdicts.is_fixed(shot.id), frozenset())


def _places(windows: Sequence[Window]) -> dict[UUID, _Place]:
    """All slots of the butts: what was derived may have taken an arrow from any of them."""
    return {
        slot.id: _Place(window, slot, window.placed.end_rules)
        for window in windows
        if window.placed.end_rules is not None
        for slot in window.butt.slots.values()
    }


async def _arrows(conn: Connection, places: Mapping[UUID, _Place]) -> dict[UUID, Arrows]:
    """The stored shots of the ends that the windows touch, by slot."""
    counted: dict[UUID, Counted] = {}
    within: dict[UUID, tuple[UUID, Span]] = {}
    for slot_id, place in places.items():
        rules, target_id = place.rules, place.window.target_id
        since = place.window.span.begin
        if rules.control is EndControl.AUTO:
            counted[slot_id] = Counted(target_id, since, rules.arrows_per_end, rules.ends)
        else:
            within[slot_id] = (target_id, _whole_ends(place.window.span, rules))
    found = await select_from_end(conn, counted) if counted else {}
    return found | (await select_within(conn, within) if within else {})


def _whole_ends(span: Span, rules: EndRules) -> Span:
    """The span, widened to the bounds of the ends at its begin and its end."""
    for end in rules.opened:
        if end.holds(span.begin) or end.holds(span.end):
            closed_at = FOREVER if end.closed_at is None else end.closed_at
            span = span.joined(Span(end.opened_at, closed_at))
    return span


def _judging(slot: Slot, window: Window) -> Judging:
    verdicts, butt = window.placed.verdicts, window.butt

    def by_place(shot: Shot) -> Score | None:
        return measure(shot.x or 0.0, shot.y or 0.0, slot, butt)

    return Judging(by_place, lambda shot: verdicts.is_fixed(shot.id), faces_with_spots(butt.faces))
