"""The shots of a butt decided group after group, each by what others teach.

In the order of time, by the lessons of those before. Only the opening is decided twice: an archer's
first arrows are judged by the bow's style alone, and what the next ones show of the archer is worth
waiting for. So a group of the opening is decided again by the lessons of all other groups of it.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from core.domain.assignment import Pairing, assign
from core.domain.contest import Contest, Group
from core.domain.learning import OPENING, Learned, Lesson
from core.domain.outcome import CERTAIN, WITHOUT_A_LANDING, outcome, suspected
from core.domain.values import Event, Shot, Status

# Where there is something to choose from, the odds of a wrong choice are taken as so much greater
# than the model has them, for what it does not know of. It is measured on simulated fields
# (docs/correlation.md): without this what was said to be 0.95 to 0.99 was believed a bit too much.
DOUBT = 3.0

# What becomes of a release that could have no landing.
NOTHING = Pairing(None, 1.0)

type Pairings = Mapping[int, Pairing]


@dataclass(frozen=True, slots=True)
class Decided:
    """What became of a contest.

    Args:
        shots: One for each release, in the order of the releases.
        strays: Landings that are nobody's, in their order.
        lessons: What the decided shots teach, in the order of the releases.
    """

    shots: tuple[Shot, ...]
    strays: tuple[Event, ...]
    lessons: tuple[Lesson, ...]


def decide(
    contest: Contest, lessons: Collection[Lesson], suspects: Collection[UUID], as_of: int
) -> Decided:
    """Decide all groups of a contest.

    Args:
        contest: What is to be paired.
        lessons: What the shots before it taught; none: it is the beginning.
        suspects: Releases and landings that may be another one reported again.
        as_of: Now, microseconds.
    """
    butt = contest.butt
    learned = Learned(butt.slots, butt.distance_m, butt.rules.landing_window, lessons)
    groups = contest.groups()
    course = _Course(contest, groups, suspects, as_of)
    begun = 0 if lessons else _opened(course, groups, learned)
    for group in groups[begun:]:
        course.take(group, _paired(group, contest, learned), learned)
        learned.add(course.lessons(group))
    return course.decided()


def _opened(course: "_Course", groups: Sequence[Group], learned: Learned) -> int:
    """Decide the groups of the opening, and learn from them; how many they are."""
    taught: list[Lesson] = []
    count = 0
    while len(taught) < OPENING and count < len(groups):
        course.take(groups[count], _paired(groups[count], course.contest, learned), learned)
        new = course.lessons(groups[count])
        learned.add(new)
        taught += new
        count += 1
    opening = groups[:count]
    others = [learned.without([course.shots[number].id for number in group]) for group in opening]
    again = [_paired(g, course.contest, o) for g, o in zip(opening, others, strict=True)]
    for group, pairings, known in zip(opening, again, others, strict=True):
        course.take(group, pairings, known)
    learned.forget([lesson.shot_id for lesson in taught])
    learned.add(lesson for group in opening for lesson in course.lessons(group))
    return count


def _paired(group: Group, contest: Contest, learned: Learned) -> Pairings:
    options = contest.options(group, learned)
    decided = assign({release: each for release, each in options.items() if each})
    return {release: decided.get(release, NOTHING) for release in group}


class _Course:
    """What has been decided so far.

    Args:
        contest: What is to be paired.
        groups: What is decided together, all of it.
        suspects: Releases and landings that may be another one reported again.
        as_of: Now, microseconds.
    """

    def __init__(
        self, contest: Contest, groups: Iterable[Group], suspects: Collection[UUID], as_of: int
    ) -> None:
        self.contest = contest
        self.shots: dict[int, Shot] = {}
        # What is decided twice is mostly decided in the same way.
        self._made: dict[tuple[int, int | None, float, bool], Shot] = {}
        self._told: dict[tuple[int, int | None, bool, int], Lesson] = {}
        self._suspects = suspects
        self._as_of = as_of
        self._pairings: dict[int, Pairing] = {}
        self._lessons: dict[int, Lesson] = {}
        # Landings that are somebody's, or may still be.
        self._spoken_for = {
            number for group in groups for each in group.values() for number in each
        }

    def take(self, group: Group, pairings: Pairings, learned: Learned) -> None:
        """Take the decision of a group by what was known, instead of an earlier one."""
        self._pairings |= pairings
        self._spoken_for.difference_update(*group.values())
        self._spoken_for |= {p.landing for p in pairings.values() if p.landing is not None}
        is_contested = _is_contested(group)
        for number, pairing in pairings.items():
            sure = _doubted(pairing.probability) if is_contested else pairing.probability
            # In hundredths: what comes later must not change a shot by less than anyone would look
            # at.
            self.shots[number] = self._shot(
                number, pairing.landing, round(sure, 2), self._is_doubtful(number, pairing, learned)
            )

    def _is_doubtful(self, number: int, pairing: Pairing, learned: Learned) -> bool:
        """Whether a release has no landing, and one that was taken for another's repeated report
        may be its."""
        return pairing.landing is None and self.contest.fits_doubtful(number, learned)

    def _shot(self, number: int, landing: int | None, confidence: float, is_doubtful: bool) -> Shot:
        key = (number, landing, confidence, is_doubtful)
        if key not in self._made:
            self._made[key] = self._outcome(*key)
        return self._made[key]

    def _outcome(
        self, number: int, landing: int | None, confidence: float, is_doubtful: bool
    ) -> Shot:
        contest, release = self.contest, self.contest.shot[number]
        shot = outcome(
            release,
            None if landing is None else contest.landed[landing],
            None if landing is None else contest.score(landing, release.slot_id),
            confidence,
            contest.butt,
            self._as_of,
            self._suspects,
        )
        return suspected(shot) if is_doubtful and shot.status in WITHOUT_A_LANDING else shot

    def lessons(self, group: Group) -> list[Lesson]:
        """What the decided shots of a group teach, as far as the others are decided."""
        new = {
            number: self._lesson(number, group)
            for number in group
            if self.shots[number].status in (Status.LANDED, Status.MISSED)
        }
        self._lessons |= new
        return list(new.values())

    def _lesson(self, number: int, group: Group) -> Lesson:
        """What a decided shot teaches: its flight, when nothing else could have been."""
        pairing = self._pairings[number]
        landing = pairing.landing
        if landing is not None and pairing.probability < CERTAIN and _is_contested(group):
            landing = None
        is_missing = self.shots[number].status is Status.MISSED
        strays = self.contest.strays_after(number, self._spoken_for)
        key = (number, landing, is_missing, strays)
        if key not in self._told:
            self._told[key] = self._teaching(*key)
        return self._told[key]

    def _teaching(self, number: int, landing: int | None, is_missing: bool, strays: int) -> Lesson:
        shot = self.shots[number]
        return Lesson(
            shot_id=shot.id,
            slot_id=shot.slot_id,
            released_at=shot.released_at,
            flight=None if landing is None else self.contest.flight(number, landing),
            clocks=None if landing is None else self.contest.clocks(number, landing),
            is_missing=is_missing,
            strays=strays,
        )

    def decided(self) -> Decided:
        """All of it."""
        landed = self.contest.landed
        return Decided(
            shots=tuple(self.shots[number] for number in sorted(self.shots)),
            strays=tuple(e for n, e in enumerate(landed) if n not in self._spoken_for),
            lessons=tuple(sorted(self._lessons.values(), key=lambda lesson: lesson.order)),
        )


def _is_contested(group: Group) -> bool:
    """Whether there is more than one release, or more than one landing, to choose from."""
    return len(group) > 1 or sum(map(len, group.values())) > 1


def _doubted(probability: float) -> float:
    return probability / (probability + DOUBT * (1.0 - probability))
