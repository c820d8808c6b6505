"""What judges ruled, as an input of correlation: whatever is derived again, and from whatever else
that became known, what a judge said stands.

Rulings are folded into verdicts first. Of those that contradict each other the later one stands, by
when they were made and by id, so the order in which they are read changes nothing; one that is
taken back is not among them, and what it had pushed aside stands again.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from copy import replace
from enum import StrEnum
from uuid import UUID

from msgspec import Struct, field

from core.domain.faces import FACE_TYPES
from core.domain.outcome import emptied, measure, outcome, shot_id, valued
from core.domain.scoring import OFF, Face
from core.domain.timeline import Release
from core.domain.values import Butt, Event, Shot, ShotFlag, Slot, Status


class Action(StrEnum):
    """What a judge can do."""

    SCORE = "score"
    ASSIGN_LANDING = "assign_landing"
    VOID = "void"
    RESTORE = "restore"
    MOVE = "move"
    SWAP = "swap"
    SHOT = "shot"
    DISMISS = "dismiss"


class Worth(Struct, frozen=True):
    """What an arrow counts.

    Args:
        score: Signed, as on the face.
        label: As on a scorecard: ``X``, ``10`` to ``1``, ``M``.
        is_x: Whether it is in an inner ring that is counted apart.
    """

    score: int
    label: str
    is_x: bool


MISS = Worth(OFF.score, OFF.label, False)


class Ruling(Struct, frozen=True):
    """One thing that a judge said; which of the rest is there depends on the action.

    Args:
        id: The ruling.
        made_at: When, microseconds.
        action: What.
        shot_id: The shot that it is about.
        landing: Of `assign_landing`: the shot's landing, None: it has none. Of `shot`: what becomes
            a shot. Of `dismiss`: what is nobody's.
        slot: Of `move` and `shot`: whose it is. Of `swap`: one of the two.
        other_slot: Of `swap`: the other.
        worth: Of `score`.
        since: Of `swap`: it concerns shots released from then on, microseconds.
        until: Of `swap`: and before that.
        undone_at: When it was taken back, microseconds; None: it stands.
    """

    id: UUID
    made_at: int
    action: Action
    shot_id: UUID | None = None
    landing: Event | None = None
    slot: Slot | None = None
    other_slot: Slot | None = None
    worth: Worth | None = None
    since: int = 0
    until: int = 0
    undone_at: int | None = None

    @property
    def order(self) -> tuple[int, UUID]:
        """What rulings are sorted by: the later one stands."""
        return self.made_at, self.id

    def found(self, rulings: Iterable["Ruling"]) -> list["Ruling"]:
        """Those that stood when this one was made."""
        return [
            other
            for other in rulings
            if other.order < self.order
            and (other.undone_at is None or other.undone_at >= self.made_at)
        ]

    def left(self, rulings: Iterable["Ruling"]) -> list["Ruling"]:
        """Those that stood once this one was made: a restore takes others back as it is made."""
        stood = self.found(rulings)
        return [*(r for r in stood if r.undone_at is None or r.undone_at > self.made_at), self]


class Swap(Struct, frozen=True):
    """Two places whose shots are each other's for some time.

    Args:
        one: The one.
        other: The other.
        since: From then on, by release, microseconds.
        until: Before that.
    """

    one: Slot
    other: Slot
    since: int
    until: int

    def swapped(self, slot: Slot, at: int) -> Slot:
        """Whose a shot from this place at that time is."""
        if not self.since <= at < self.until or slot.id not in (self.one.id, self.other.id):
            return slot
        return self.other if slot.id == self.one.id else self.one


# What a judge has answered who says which landing is a shot's.
ANSWERED = frozenset(
    {ShotFlag.LATE_LANDING, ShotFlag.READER_OFFLINE, ShotFlag.DUPLICATE_SUSPECT, ShotFlag.AMBIGUOUS}
)


class Verdicts(Struct, frozen=True):
    """What stands of the rulings on a butt.

    Args:
        landings: The landing of a shot by its id; None: it has none.
        made: The landings that are shots without a release, by event id, and whose.
        dismissed: Landings that are nobody's, as a judge knows.
        voided: Shots that do not count.
        places: Whose a shot is, by its id.
        worths: What a shot counts, by its id.
        swaps: In the order in which they were made.
    """

    landings: Mapping[UUID, Event | None] = field(default_factory=dict)
    made: Mapping[UUID, Slot] = field(default_factory=dict)
    dismissed: frozenset[UUID] = frozenset()
    voided: frozenset[UUID] = frozenset()
    places: Mapping[UUID, Slot] = field(default_factory=dict)
    worths: Mapping[UUID, Worth] = field(default_factory=dict)
    swaps: Sequence[Swap] = ()

    @property
    def taken(self) -> frozenset[UUID]:
        """The landings, by event id, that a judge gave to somebody."""
        given = {landing.id for landing in self.landings.values() if landing is not None}
        return frozenset(given | self.made.keys())

    def holder(self, landing_event_id: UUID) -> UUID | None:
        """The shot that a judge gave a landing to; None: nobody was given it."""
        if landing_event_id in self.made:
            return shot_id(landing_event_id)
        holders = (
            holder
            for holder, landing in self.landings.items()
            if landing is not None and landing.id == landing_event_id
        )
        return next(holders, None)

    def is_ruled(self, shot: UUID) -> bool:
        """Whether a judge ruled on just this shot."""
        singled_out = (self.landings, self.voided, self.places, self.worths)
        return any(shot in each for each in singled_out)

    def is_fixed(self, shot: UUID) -> bool:
        """Whether a judge said what this shot counts: no rule changes that."""
        return shot in self.worths


NO_VERDICTS = Verdicts()


def verdicts(rulings: Iterable[Ruling]) -> Verdicts:
    """What stands of the rulings on one butt.

    A later ruling of the same kind stands instead of an earlier one. A landing is one shot's: of
    two rulings that give it away the later one stands, and for the other's shot what was ruled
    before.

    Args:
        rulings: All that were not taken back, in any order.
    """
    ordered = sorted(rulings, key=lambda ruling: ruling.order)
    landings, made = _given(ordered)
    return Verdicts(
        landings=landings,
        made=made,
        dismissed=frozenset(r.landing.id for r in _of(ordered, Action.DISMISS) if r.landing),
        voided=frozenset(r.shot_id for r in _of(ordered, Action.VOID) if r.shot_id),
        places={r.shot_id: r.slot for r in _of(ordered, Action.MOVE) if r.shot_id and r.slot},
        worths={r.shot_id: r.worth for r in _of(ordered, Action.SCORE) if r.shot_id and r.worth},
        swaps=tuple(
            Swap(r.slot, r.other_slot, r.since, r.until)
            for r in _of(ordered, Action.SWAP)
            if r.slot and r.other_slot
        ),
    )


def _of(rulings: Sequence[Ruling], action: Action) -> list[Ruling]:
    return [ruling for ruling in rulings if ruling.action is action]


def _given(ordered: Sequence[Ruling]) -> tuple[dict[UUID, Event | None], dict[UUID, Slot]]:
    """Which landing a judge gave to which shot, and which became shots of their own."""
    landings: dict[UUID, Event | None] = {}
    made: dict[UUID, Slot] = {}
    taken: set[UUID] = set()
    for ruling in reversed(ordered):
        landing = ruling.landing
        if landing is not None and landing.id in taken:
            continue
        if ruling.action is Action.ASSIGN_LANDING and ruling.shot_id is not None:
            if ruling.shot_id in landings:
                continue
            landings[ruling.shot_id] = landing
        elif ruling.action is Action.SHOT and ruling.slot is not None and landing is not None:
            made[landing.id] = ruling.slot
        else:
            continue
        taken |= set() if landing is None else {landing.id}
    # A shot that was made of a landing has that and no other.
    shots_made = {shot_id(landing_event_id) for landing_event_id in made}
    return {shot: e for shot, e in landings.items() if shot not in shots_made}, made


def pinned_shot(
    release: Release, ruled: Verdicts, butt: Butt, as_of: int, suspects: Collection[UUID] = ()
) -> Shot:
    """The shot of a release whose landing a judge told.

    Args:
        release: Which.
        ruled: With a word on it.
        butt: Where.
        as_of: Now, microseconds.
        suspects: Releases and landings that may be another one reported again.
    """
    landing = ruled.landings[shot_id(release.event.id)]
    slot = butt.slots[release.slot_id]
    score = None if landing is None else measure(landing.x, landing.y, slot, butt)
    shot = outcome(release, landing, score, 1.0, butt, as_of, suspects)
    known = tuple(flag for flag in shot.flags if flag not in ANSWERED)
    shot = replace(shot, confidence=1.0, flags=known)
    return shot if landing is not None else _counted(shot, MISS)


def made_shot(landing: Event, slot: Slot, butt: Butt, as_of: int) -> Shot:
    """The shot that a judge made of a landing whose release no reader saw.

    Args:
        landing: The landing; the shot's id derives from it as from a release.
        slot: Whose it is.
        butt: Where.
        as_of: Now, microseconds.
    """
    theirs = replace(butt, slots={**butt.slots, slot.id: slot})
    score = measure(landing.x, landing.y, slot, theirs)
    shot = outcome(Release(landing, slot.id, None, None), landing, score, 1.0, theirs, as_of)
    return replace(shot, release_event_id=None)


def judged(shot: Shot, ruled: Verdicts, landing: Event | None, butt: Butt) -> Shot:
    """A shot with all that stands of a judge's rulings on it.

    Args:
        shot: As the sensors and the landings that a judge gave away make it.
        ruled: What stands.
        landing: The shot's landing, if it has one.
        butt: Where.
    """
    if shot.id in ruled.voided:
        return replace(emptied(shot), confidence=1.0, flags=(ShotFlag.RULED,))
    slot = _place(shot, ruled, butt)
    if slot.id != shot.slot_id:
        shot = replace(shot, slot_id=slot.id, archer_id=slot.archer_id)
        shot = shot if landing is None else valued(shot, landing, slot, butt)
    if shot.id in ruled.worths:
        shot = _counted(shot, ruled.worths[shot.id])
    is_ruled = shot.release_event_id is None or ruled.is_ruled(shot.id)
    return replace(shot, flags=_ruled(shot.flags)) if is_ruled else shot


def _place(shot: Shot, ruled: Verdicts, butt: Butt) -> Slot:
    if shot.id in ruled.places:
        return ruled.places[shot.id]
    if shot.release_event_id is None and shot.landing_event_id is not None:
        return ruled.made[shot.landing_event_id]
    slot = butt.slots[shot.slot_id]
    for swap in ruled.swaps:
        slot = swap.swapped(slot, shot.released_at)
    return slot


def _counted(shot: Shot, worth: Worth) -> Shot:
    # Who says that an arrow counts says that it hit, wherever that was.
    has_hit = shot.landing_event_id is not None or worth != MISS
    return replace(
        shot,
        status=Status.LANDED if has_hit else Status.MISSED,
        is_settled=True,
        score=worth.score,
        label=worth.label,
        is_x=worth.is_x,
    )


def _ruled(flags: Iterable[ShotFlag]) -> tuple[ShotFlag, ...]:
    return tuple(sorted({*flags, ShotFlag.RULED}))


def worths(faces: Iterable[Face]) -> list[Worth]:
    """All that an arrow can count on these faces, the most first."""
    rings = [
        ring
        for face in faces
        if face.face_type in FACE_TYPES
        for ring in FACE_TYPES[face.face_type].rings
    ]
    found = {Worth(ring.score, ring.label, ring.is_x) for ring in rings} | {MISS}
    return sorted(found, key=lambda worth: (-worth.score, not worth.is_x, worth.label))


def worth_of(
    faces: Iterable[Face], score: int, label: str | None = None, is_x: bool | None = None
) -> Worth | None:
    """What a judge means by a score; None: no arrow can count that on these faces.

    Args:
        faces: What hangs on the butt.
        score: The score.
        label: As on a scorecard; None: whatever goes with the score, rather than an X.
        is_x: Whether it is an X; None: as the label says.
    """
    possible = [
        worth
        for worth in worths(faces)
        if worth.score == score and label in (None, worth.label) and is_x in (None, worth.is_x)
    ]
    return min(possible, key=lambda worth: worth.is_x, default=None)
