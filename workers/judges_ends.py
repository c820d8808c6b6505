"""Shots placed in the ends that a judge opened, which are the same for all butts.

A judge may give an arrow to an archer of another butt. What an end allows an archer is allowed at
all butts together, so the derivation of either butt settles all of the archer's arrows of an end,
in the same way, and writes those that hit its own butt. Where others come out otherwise than they
are stored, their butt is derived anew; it finds these as they are now, and nothing is left to ask.
"""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from msgspec import Struct

from core.domain.ends import EndRules, Judging, Placed, faces_with_spots, settle
from core.domain.outcome import measure
from core.domain.scoring import Score
from core.domain.values import Butt, Shot, Slot, Status
from core.domain.window import Span, joined
from core.models.butt import select_butts
from core.models.correlated_shot import StoredShot
from core.models.instants import FOREVER
from core.models.ruling_in_force import select_fixed
from core.models.shot_of_end import select_within
from core.models.slot import select_homes
from core.postgres import Connection
from workers.windows import Window


class Together(Struct, frozen=True):
    """Shots as they count in a judge's ends.

    Args:
        shots: Those of the butts that were derived, each with its target, by its id.
        beside: Those of them that are stored and were not derived, by id.
        elsewhere: Butts with other shots that now count otherwise, and when those were released.
    """

    shots: Mapping[UUID, tuple[UUID, Placed]]
    beside: Mapping[UUID, StoredShot]
    elsewhere: Mapping[UUID, Span]


class _Archer(Struct, frozen=True):
    """A place whose arrows are settled, by a session's rules, within a span."""

    rules: EndRules
    span: Span


class _Court(Struct, frozen=True):
    """What arrows are valued by.

    Args:
        butts: All butts that were hit or that the archers stand at.
        slots: Who stands at them.
        spotted: The faces there with several spots.
        targets: Which butt each shot hit, by its id.
        fixed: The shots of which a judge said what they count.
    """

    butts: Mapping[UUID, Butt]
    slots: Mapping[UUID, Slot]
    spotted: frozenset[UUID]
    targets: Mapping[UUID, UUID]
    fixed: frozenset[UUID]

    def judging(self, slot_id: UUID) -> Judging:
        """How an archer's arrows are valued, each on the faces of the butt that it hit."""
        slot = self.slots.get(slot_id)
        return Judging(
            lambda shot: self._measured(shot, slot),
            lambda shot: shot.id in self.fixed,
            self.spotted,
        )

    def _measured(self, shot: Shot, slot: Slot | None) -> Score | None:
        butt = self.butts.get(self.targets[shot.id])
        if slot is None or butt is None:
            return None
        return measure(shot.x or 0.0, shot.y or 0.0, slot, butt)


async def settled_together(
    conn: Connection,
    windows: Sequence[Window],
    derived: Mapping[UUID, tuple[UUID, Shot]],
    known: Mapping[UUID, StoredShot],
) -> Together:
    """Place what was derived in a judge's ends, with all other arrows of these ends.

    Args:
        conn: In the transaction that writes it.
        windows: What was derived, of sessions whose ends a judge opens.
        derived: Its shots with their targets, by id; others may be among them.
        known: The shots that are stored of these windows.
    """
    archers = _archers(windows, derived, known)
    stored = await select_within(conn, {slot: each.span for slot, each in archers.items()})
    beside = {
        each.shot.id: each
        for kept in stored.values()
        for each in kept
        if each.shot.id not in known and each.shot.id not in derived
    }
    theirs = {i: (t, shot) for i, (t, shot) in derived.items() if shot.slot_id in archers}
    theirs |= {i: (each.target_id, each.shot) for i, each in beside.items()}
    court = await _court(conn, windows, theirs, archers)
    placed = _settled(theirs.values(), archers, court)
    mine = {window.target_id for window in windows}
    return Together(
        {each.shot.id: (target, each) for target, each in placed if target in mine},
        {i: each for i, each in beside.items() if each.target_id in mine},
        _otherwise([(t, each) for t, each in placed if t not in mine], beside),
    )


def _archers(
    windows: Sequence[Window],
    derived: Mapping[UUID, tuple[UUID, Shot]],
    known: Mapping[UUID, StoredShot],
) -> dict[UUID, _Archer]:
    """Whose arrows may count otherwise: all who stand at the butts, and whoever has an arrow that
    hit one of them, or had it."""
    by_target = {window.target_id: set(window.butt.slots) for window in windows}
    for target, shot in derived.values():
        by_target[target].add(shot.slot_id)
    for each in known.values():
        if each.target_id in by_target and each.shot.status is not Status.VOIDED:
            by_target[each.target_id].add(each.shot.slot_id)
    found: dict[UUID, _Archer] = {}
    for window in windows:
        rules = window.placed.end_rules
        if rules is None:
            continue
        span = _whole_ends(window.span, rules)
        for slot_id in by_target[window.target_id]:
            before = found.get(slot_id)
            found[slot_id] = _Archer(rules, span if before is None else span.joined(before.span))
    return found


def _whole_ends(span: Span, rules: EndRules) -> Span:
    """The span, widened to the bounds of the ends at its begin and its end."""
    for end in rules.opened:
        if end.holds(span.begin) or end.holds(span.end):
            closed_at = FOREVER if end.closed_at is None else end.closed_at
            span = span.joined(Span(end.opened_at, closed_at))
    return span


async def _court(
    conn: Connection,
    windows: Sequence[Window],
    theirs: Mapping[UUID, tuple[UUID, Shot]],
    archers: Mapping[UUID, _Archer],
) -> _Court:
    """What the arrows are valued by; other butts are read only where an arrow hit one."""
    near = {window.target_id: window for window in windows}
    targets = {shot_id: target for shot_id, (target, _) in theirs.items()}
    butts = {target: window.butt for target, window in near.items()}
    fixed = {i for i, t in targets.items() if t in near and near[t].placed.verdicts.is_fixed(i)}
    strangers = archers.keys() - {slot_id for butt in butts.values() for slot_id in butt.slots}
    far = set(targets.values()) - near.keys()
    far |= await select_homes(conn, strangers) - near.keys() if strangers else set()
    if far:
        others = await select_butts(conn, far, windows[0].butt.offline_after)
        butts |= {target: placed.butt for target, placed in others.items()}
        fixed |= await select_fixed(conn, [i for i, t in targets.items() if t in far])
    slots = {slot.id: slot for butt in butts.values() for slot in butt.slots.values()}
    spotted = faces_with_spots(face for butt in butts.values() for face in butt.faces)
    return _Court(butts, slots, spotted, targets, frozenset(fixed))


def _settled(
    shots: Iterable[tuple[UUID, Shot]], archers: Mapping[UUID, _Archer], court: _Court
) -> list[tuple[UUID, Placed]]:
    """Each archer's shots as they count, with their targets."""
    by_slot: dict[UUID, list[Shot]] = {}
    for _, shot in shots:
        by_slot.setdefault(shot.slot_id, []).append(shot)
    return [
        (court.targets[placed.shot.id], placed)
        for slot_id, mine in by_slot.items()
        for placed in settle(mine, archers[slot_id].rules, court.judging(slot_id))
    ]


def _otherwise(
    placed: Iterable[tuple[UUID, Placed]], stored: Mapping[UUID, StoredShot]
) -> dict[UUID, Span]:
    """The butts with shots that are not stored as they count, and when those were released."""
    return joined(
        (target, Span(each.shot.released_at, each.shot.released_at))
        for target, each in placed
        if not _is_stored(each, stored[each.shot.id])
    )


def _is_stored(placed: Placed, before: StoredShot) -> bool:
    return (placed.shot, placed.end_number) == (before.shot, before.end_number)
