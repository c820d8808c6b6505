"""Which end each of an archer's arrows belongs to, and which of them count there.

A function of the set of an archer's shots and of the ends: whatever was decided of a shot before is
taken back first, so an arrow that is no longer one too many has its value again.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from copy import replace
from enum import StrEnum
from itertools import islice
from uuid import UUID

from msgspec import Struct

from core.domain.faces import FACE_TYPES
from core.domain.scoring import Face, Score
from core.domain.values import Shot, ShotFlag, Status

# Where no rule about ends applies all is one end; so is what is counted into none.
FIRST_END = 1

DECIDED_HERE = frozenset({ShotFlag.EXTRA_ARROW, ShotFlag.OUT_OF_END})


class EndControl(StrEnum):
    """What begins and ends an end: the count of the arrows, or a judge."""

    AUTO = "auto"
    MANUAL = "manual"


class End(Struct, frozen=True):
    """An end that a judge opened.

    Args:
        number: From 1.
        opened_at: Its first instant, microseconds.
        closed_at: The first instant after it; None: it is open.
    """

    number: int
    opened_at: int
    closed_at: int | None

    def holds(self, at: int) -> bool:
        """Whether an arrow released at this instant belongs to it."""
        return self.opened_at <= at and (self.closed_at is None or at < self.closed_at)


class EndRules(Struct, frozen=True):
    """A session's rules about ends.

    Args:
        arrows_per_end: How many arrows of an archer count in an end.
        ends: How many ends there are; None: as many as are shot.
        control: Who says when an end begins.
        opened: The ends that a judge opened, by number; their spans do not overlap.
    """

    arrows_per_end: int
    ends: int | None = None
    control: EndControl = EndControl.AUTO
    opened: tuple[End, ...] = ()


class Judging(Struct, frozen=True):
    """How one archer's arrows are valued at a butt.

    Args:
        measure: What a shot is worth by where it landed; None: nothing tells.
        is_fixed: Whether a judge said what a shot is worth, so that no rule changes it.
        spotted: The faces with several spots, each for one arrow of an end.
    """

    measure: Callable[[Shot], Score | None]
    is_fixed: Callable[[Shot], bool]
    spotted: frozenset[UUID]


class Placed(Struct, frozen=True):
    """A shot as it counts, and its end; 0: it was released before the first end was opened."""

    shot: Shot
    end_number: int


def is_shooting(rules: EndRules | None) -> Callable[[int], bool]:
    """Whether arrows may be shot at a time: always, unless a judge opens and closes the ends.

    Args:
        rules: A session's rules about ends; None: none applies.
    """
    if rules is None or rules.control is EndControl.AUTO:
        return lambda _: True
    return lambda at: any(end.holds(at) for end in rules.opened)


def faces_with_spots(faces: Iterable[Face]) -> frozenset[UUID]:
    """Those of the faces that have several spots, each for one arrow of an end."""
    known = ((face.id, FACE_TYPES.get(face.face_type)) for face in faces)
    return frozenset(face_id for face_id, kind in known if kind and len(kind.spots) > 1)


def settle(
    shots: Iterable[Shot], rules: EndRules, judging: Judging, *, before: int = 0
) -> list[Placed]:
    """Place one archer's shots in their ends and value them by the ends' rules.

    Of two arrows in one spot the lower counts, of more arrows than the end allows the lowest; the
    others are misses and stay arrows of the end (WA Book 3, chapter 14). A spot comes first: what
    is a miss by it is among the lowest. Voided shots are no arrows; they only have a place.

    Args:
        shots: In any order, as correlation or an earlier call has them. All arrows of an end must
            be there together.
        rules: The session's.
        judging: How they are valued.
        before: With automatic ends, how many arrows the archer shot before these; they fill ends,
            or all of them lie before the last one.

    Returns:
        All of them, in the order of their release.
    """
    known = [_measured(s, judging) for s in sorted(shots, key=lambda s: (s.released_at, s.id))]
    numbers = _numbers(known, rules, before)
    by_end: dict[int, list[Shot]] = {}
    for shot, (number, is_inside) in zip(known, numbers, strict=True):
        if is_inside and _is_arrow(shot):
            by_end.setdefault(number, []).append(shot)
    counted = {shot.id: shot for end in by_end.values() for shot in _counted(end, rules, judging)}
    return [
        Placed(counted.get(shot.id) or _outside(shot, judging), number)
        for shot, (number, _) in zip(known, numbers, strict=True)
    ]


def of_another_butt(shot: Shot, is_fixed: Callable[[UUID], bool]) -> Placed:
    """A shot that a judge gave to an archer of another butt, where ends go by the count of the
    arrows: it is in none of them and counts beside them, so it may be one too many, and a judge is
    told so until its score is ruled.

    Args:
        shot: Which.
        is_fixed: Whether a judge said what a shot is worth, by its id.
    """
    is_answered = not _is_arrow(shot) or is_fixed(shot.id)
    return Placed(shot if is_answered else _flagged(shot, ShotFlag.EXTRA_ARROW), FIRST_END)


def _is_arrow(shot: Shot) -> bool:
    return shot.status is not Status.VOIDED


def _outside(shot: Shot, judging: Judging) -> Shot:
    """The shot as one that does not count, unless a judge said what it does."""
    if not _is_arrow(shot) or judging.is_fixed(shot):
        return shot
    return _flagged(shot, ShotFlag.OUT_OF_END)


def _numbers(shots: Sequence[Shot], rules: EndRules, before: int) -> list[tuple[int, bool]]:
    """The end of each, and whether it was shot within it; one that is voided stands where it would
    be the next arrow, and takes nobody's place."""
    found, place = [], before
    for shot in shots:
        found.append(_end_of(shot, place + 1, rules))
        place += _is_arrow(shot)
    return found


def _measured(shot: Shot, judging: Judging) -> Shot:
    """The shot without what the rules of an end made of it."""
    if not DECIDED_HERE.intersection(shot.flags):
        return shot
    flags = tuple(flag for flag in shot.flags if flag not in DECIDED_HERE)
    bare = replace(shot, flags=flags)
    if ShotFlag.EXTRA_ARROW not in shot.flags or shot.status is not Status.LANDED:
        return bare
    score = judging.measure(shot)
    if score is None:
        return replace(bare, score=None, label=None, is_x=False)
    return replace(bare, score=score.score, label=score.label, is_x=score.is_x)


def _end_of(shot: Shot, place: int, rules: EndRules) -> tuple[int, bool]:
    """The shot's end, and whether it was shot within it."""
    if rules.control is EndControl.AUTO:
        number = (place - 1) // rules.arrows_per_end + 1
        return (number if rules.ends is None else min(number, rules.ends)), True
    begun = [end for end in rules.opened if end.opened_at <= shot.released_at]
    if not begun:
        return 0, False
    last = max(begun, key=lambda end: (end.opened_at, end.number))
    return last.number, last.holds(shot.released_at)


def _counted(end: Sequence[Shot], rules: EndRules, judging: Judging) -> list[Shot]:
    """The shots of one end as they count."""
    single = _without(end, _crowded(end, judging), judging)
    return _without(single, _excess(single, rules.arrows_per_end), judging)


def _without(end: Sequence[Shot], dropped: Collection[UUID], judging: Judging) -> list[Shot]:
    """The shots of one end with some of them as misses, but for what a judge said."""
    return [
        _missed(shot) if shot.id in dropped and not judging.is_fixed(shot) else shot for shot in end
    ]


def _crowded(end: Sequence[Shot], judging: Judging) -> set[UUID]:
    """The shots in a spot in which a lower one is, too."""
    if not judging.spotted:
        return set()
    lowest: dict[tuple[UUID, int], UUID] = {}
    spots = [(shot.id, _spot(shot, judging)) for shot in _by_height(end)]
    for shot_id, spot in spots:
        if spot is not None:
            lowest.setdefault(spot, shot_id)
    return {shot_id for shot_id, spot in spots if spot is not None and lowest[spot] != shot_id}


def _excess(end: Sequence[Shot], arrows_per_end: int) -> set[UUID]:
    """The highest shots, as many as there are too many; what has no value yet is not dropped."""
    too_many = len(end) - arrows_per_end
    if too_many <= 0:
        return set()
    highest = reversed(_by_height(end))
    return {shot.id for shot in islice(highest, too_many)}


def _by_height(end: Iterable[Shot]) -> list[Shot]:
    """Those that have a value, the lowest first: an X is above what scores the same, and of equals
    the later is."""
    return sorted((s for s in end if s.score is not None), key=_height)


def _height(shot: Shot) -> tuple[int, bool, int, UUID]:
    return shot.score or 0, shot.is_x, shot.released_at, shot.id


def _spot(shot: Shot, judging: Judging) -> tuple[UUID, int] | None:
    """The spot that only one arrow of the end may have; None: it is in no such spot."""
    if shot.face_id not in judging.spotted or ShotFlag.WRONG_FACE in shot.flags:
        return None
    return None if shot.face_id is None or shot.spot is None else (shot.face_id, shot.spot)


def _missed(shot: Shot) -> Shot:
    return _flagged(replace(shot, score=0, label="M", is_x=False), ShotFlag.EXTRA_ARROW)


def _flagged(shot: Shot, flag: ShotFlag) -> Shot:
    return replace(shot, flags=tuple(sorted({*shot.flags, flag})))
