"""The first shots of a butt, which are decided twice.

An archer's first arrows are judged by the bow's style alone, and what the next ones show of the
archer is worth waiting for. So a group of the opening is decided again by the lessons of all other
groups of it.

A butt's events come one by one, and the opening is decided anew with each. What was the same the
last time is taken over from a draft; what comes of it is the same as without.
"""

from collections.abc import Collection, Mapping, Sequence
from copy import replace
from uuid import UUID

from msgspec import Struct

from core.domain.contest import Contest, Group
from core.domain.course import Course, Made, Pairings
from core.domain.learning import OPENING, Learned, Lesson
from core.domain.scoring import Face
from core.domain.timeline import Release
from core.domain.values import Butt, Event, Rules, Slot


class _Place(Struct, frozen=True):
    """What of a butt a shot that landed hangs on: all but the presence of its reader."""

    distance_m: float
    faces: tuple[Face, ...]
    slots: Mapping[UUID, Slot]
    rules: Rules


def _place(butt: Butt) -> _Place:
    return _Place(butt.distance_m, butt.faces, butt.slots, butt.rules)


# The group, its releases and landings, those that are suspects, and whose its arrows are.
type _Grounds = tuple[Group, list[Release], list[Event], frozenset[UUID], tuple[UUID | None, ...]]


def _grounds(contest: Contest, group: Group, suspects: Collection[UUID]) -> _Grounds:
    """All that decides what becomes of a group, with what is known and the strays about it."""
    shot = [contest.shot[number] for number in group]
    landed = [contest.landed[number] for landings in group.values() for number in landings]
    ids = [each.event.id for each in shot] + [each.id for each in landed] if suspects else ()
    owners = contest.butt.arrow_owners
    arrows = [each.arrow_id for each in shot] + [each.arrow_id for each in landed]
    return (
        group,
        shot,
        landed,
        frozenset(each for each in ids if each in suspects),
        tuple(owners.get(arrow) for arrow in arrows if arrow is not None),
    )


class _Drafted(Struct, frozen=True):
    """How a group was decided.

    Args:
        group: The group.
        grounds: By what, and by lessons; None: that was not asked for yet.
        first: By those of the groups before it.
        taught: What that taught.
        final: By those of all others.
    """

    group: Group
    grounds: _Grounds | None
    first: Pairings
    taught: Sequence[Lesson]
    final: Pairings


class Draft:
    """How a butt's opening was decided the last time."""

    def __init__(self) -> None:
        self.groups: Sequence[_Drafted] = ()
        self.taught: Sequence[Lesson] = ()
        self.made = Made()
        self._place: _Place | None = None
        # Where and with what the groups were decided whose grounds were not asked for yet: of many
        # drafts nobody reads them again.
        self._contest: Contest | None = None
        self._suspects: Collection[UUID] = ()

    def reread(self, contest: Contest, groups: Sequence[Group], suspects: Collection[UUID]) -> None:
        """Keep how the leading groups were decided that are what they were."""
        place = _place(contest.butt)
        kept: list[_Drafted] = []
        if place == self._place:
            for drafted, group in zip(self.groups, groups, strict=False):
                grounds = _grounds(contest, group, suspects)
                if self._grounds(drafted) != grounds:
                    break
                kept.append(replace(drafted, grounds=grounds))
        self.groups, self._place = kept, place
        self._contest, self._suspects = contest, suspects
        self.made = self.made.of_landed({number for each in kept for number in each.first})

    def _grounds(self, drafted: _Drafted) -> _Grounds | None:
        if drafted.grounds is not None or self._contest is None:
            return drafted.grounds
        return _grounds(self._contest, drafted.group, self._suspects)

    def write(self, groups: Sequence[_Drafted], taught: Sequence[Lesson]) -> None:
        """Keep how all groups were decided, the place being the one that was reread last.

        Args:
            groups: In the order of time.
            taught: What they taught before they were decided by all others' lessons.
        """
        self.groups, self.taught = groups, taught


def decide_opening(
    course: Course,
    groups: Sequence[Group],
    learned: Learned,
    draft: Draft,
) -> int:
    """Decide the groups of the opening, and learn from them; how many they are.

    Args:
        course: What is decided goes there.
        groups: All groups of the butt.
        learned: Nothing yet.
        draft: How the leading groups were decided the last time, reread; it is written anew.
    """
    first, taught = _decided_in_turn(course, groups, learned, draft.groups)
    opening = groups[: len(first)]
    lessons = [lesson for each in taught for lesson in each]
    # By all others' lessons it is as it was if all are.
    kept = draft.groups if lessons == draft.taught else ()
    final = _decided_by_all(course, opening, learned, kept)
    after = [lesson for group in opening for lesson in course.lessons(group)]
    if after != lessons:
        learned.forget([lesson.shot_id for lesson in lessons])
        learned.add(after)
    known = [each.grounds for each in draft.groups[: len(opening)]]
    grounds = [*known, *[None] * (len(opening) - len(known))]
    draft.write(list(map(_Drafted, opening, grounds, first, taught, final)), lessons)
    return len(opening)


def _decided_in_turn(
    course: Course, groups: Sequence[Group], learned: Learned, kept: Sequence[_Drafted]
) -> tuple[list[Pairings], list[list[Lesson]]]:
    """Decide each group by the lessons of those before it; how, and what that taught."""
    decided: list[Pairings] = []
    taught: list[list[Lesson]] = []
    count, unlearned, is_as_drafted = 0, list[Lesson](), True
    for group in groups:
        if count >= OPENING:
            break
        is_as_drafted = is_as_drafted and len(decided) < len(kept)
        drafted = kept[len(decided)] if is_as_drafted else None
        if drafted is None or not _is_landed(drafted.first):
            learned.add(unlearned)
            unlearned = []
            pairings = course.pairings(group, learned)
        else:
            pairings = drafted.first
        course.take(group, pairings, learned)
        new = course.lessons(group)
        # What follows was decided by other lessons.
        is_as_drafted = drafted is not None and drafted.taught == new
        decided.append(pairings)
        taught.append(new)
        unlearned += new
        count += len(new)
    learned.add(unlearned)
    return decided, taught


def _decided_by_all(
    course: Course, opening: Sequence[Group], learned: Learned, kept: Sequence[_Drafted]
) -> list[Pairings]:
    """Decide each group by the lessons of all others; how."""
    decided: list[Pairings] = []
    for place, group in enumerate(opening):
        if place < len(kept) and _is_landed(kept[place].final):
            pairings, others = kept[place].final, learned
        else:
            others = learned.without([course.shots[number].id for number in group])
            pairings = course.pairings(group, others)
        course.take(group, pairings, others)
        decided.append(pairings)
    return decided


def _is_landed(pairings: Pairings) -> bool:
    """Whether all have a landing: what else becomes of a release hangs on the time, on its butt's
    reader, and on reports that were taken for repeated ones."""
    return all(pairing.landing is not None for pairing in pairings.values())
