"""Shots placed in their ends: what the derivation of a window means for the whole ends that it
touches."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from msgspec import Struct

from core.domain.ends import (
    FIRST_END,
    EndControl,
    EndRules,
    Judging,
    Placed,
    faces_with_spots,
    of_another_butt,
    settle,
)
from core.domain.outcome import measure
from core.domain.scoring import Score
from core.domain.values import Shot, Slot
from core.domain.window import Span
from core.models.correlated_shot import StoredShot
from core.models.shot_of_end import Arrows, Counted, select_from_end
from core.postgres import Connection
from workers.judges_ends import settled_together
from workers.windows import Window


class Settled(Struct, frozen=True):
    """Shots as they count.

    Args:
        shots: Those that were derived, and the others of the ends that they fall in; each with its
            target, by its id.
        known: Those of both that are stored, as they are.
        elsewhere: Butts with other shots that now count otherwise, and when those were released.
    """

    shots: Mapping[UUID, tuple[UUID, Placed]]
    known: Mapping[UUID, StoredShot]
    elsewhere: Mapping[UUID, Span]


class _Place(Struct, frozen=True):
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
    shots = {i: (target, Placed(shot, FIRST_END)) for i, (target, shot) in derived.items()}
    others: dict[UUID, StoredShot] = {}
    elsewhere: Mapping[UUID, Span] = {}
    counted, judged = (_controlled(windows, control) for control in EndControl)
    if counted:
        new, beside = await _by_count(conn, counted, derived, known)
        shots, others = shots | new, others | beside
    if judged:
        together = await settled_together(conn, judged, _at(judged, derived), known)
        shots, others = shots | dict(together.shots), others | dict(together.beside)
        elsewhere = together.elsewhere
    return Settled(shots, {**known, **others}, elsewhere)


def _controlled(windows: Sequence[Window], control: EndControl) -> list[Window]:
    """Those of sessions whose ends begin and end in this way."""
    rules = [(window, window.placed.end_rules) for window in windows]
    return [window for window, rule in rules if rule is not None and rule.control is control]


def _at(
    windows: Sequence[Window], derived: Mapping[UUID, tuple[UUID, Shot]]
) -> dict[UUID, tuple[UUID, Shot]]:
    """Those of the shots that hit the butts of these windows."""
    targets = {window.target_id for window in windows}
    return {i: (target, shot) for i, (target, shot) in derived.items() if target in targets}


async def _by_count(
    conn: Connection,
    windows: Sequence[Window],
    derived: Mapping[UUID, tuple[UUID, Shot]],
    known: Mapping[UUID, StoredShot],
) -> tuple[dict[UUID, tuple[UUID, Placed]], dict[UUID, StoredShot]]:
    """Shots in ends by the count of the arrows, which are each butt's own; and those of them that
    are stored and were not derived."""
    places = _places(windows)
    mine = _at(windows, derived)
    shots = _strangers(mine, places, {window.target_id: window for window in windows})
    others: dict[UUID, StoredShot] = {}
    by_slot = _by_slot(mine, places)
    for slot_id, kept in (await _arrows(conn, places)).items():
        place = places[slot_id]
        beside = [s for s in kept.shots if s.shot.id not in known and s.shot.id not in derived]
        theirs = [*by_slot.get(slot_id, []), *(each.shot for each in beside)]
        for placed in settle(theirs, place.rules, _judging(place), before=kept.before):
            shots[placed.shot.id] = (place.window.target_id, placed)
        others |= {each.shot.id: each for each in beside}
    return shots, others


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
    derived: Mapping[UUID, tuple[UUID, Shot]],
    places: Mapping[UUID, _Place],
    windows: Mapping[UUID, Window],
) -> dict[UUID, tuple[UUID, Placed]]:
    """What a judge gave to archers of other butts."""
    return {
        shot_id: (target_id, of_another_butt(shot, windows[target_id].placed.verdicts.is_fixed))
        for shot_id, (target_id, shot) in derived.items()
        if not _is_at_home(shot, target_id, places)
    }


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
    return await select_from_end(
        conn,
        {
            slot_id: Counted(
                place.window.target_id,
                place.window.span.begin,
                place.rules.arrows_per_end,
                place.rules.ends,
            )
            for slot_id, place in places.items()
        },
    )


def _judging(place: _Place) -> Judging:
    verdicts, butt = place.window.placed.verdicts, place.window.butt

    def by_place(shot: Shot) -> Score | None:
        return measure(shot.x or 0.0, shot.y or 0.0, place.slot, butt)

    return Judging(by_place, lambda shot: verdicts.is_fixed(shot.id), faces_with_spots(butt.faces))
