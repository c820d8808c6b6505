"""What has been decided of a butt's shots so far, group after group in the order of time."""

from collections.abc import Collection, Iterable, Mapping
from uuid import UUID

from msgspec import Struct, field

from core.domain.assignment import Option, Pairing, assign
from core.domain.contest import Contest, Group
from core.domain.learning import Learned, Lesson
from core.domain.outcome import CERTAIN, WITHOUT_A_LANDING, outcome, suspected
from core.domain.values import Event, Shot, Status

# Where there is something to choose from, the odds of a wrong choice are taken as so much greater
# than the model has them, for what it does not know of. It is measured on simulated fields
# (docs/correlation.md): without this what was said to be 0.95 to 0.99 was believed a bit too much.
DOUBT = 3.0

# What becomes of a release that could have no landing.
NOTHING = Pairing(None, 1.0)

type Pairings = Mapping[int, Pairing]


class Decided(Struct, frozen=True):
    """What became of a contest.

    Args:
        shots: One for each release, in the order of the releases.
        strays: Landings that are nobody's, in their order.
        lessons: What the decided shots teach, in the order of the releases.
    """

    shots: tuple[Shot, ...]
    strays: tuple[Event, ...]
    lessons: tuple[Lesson, ...]


# A release's number, its landing's, how sure that is, and whether it is doubtful.
type _Shown = tuple[int, int | None, float, bool]
# A release's number, the landing whose flight is beyond doubt, whether it is missing, and strays.
type _Said = tuple[int, int | None, bool, int]


class Made(Struct, frozen=True):
    """Shots and lessons by all that makes them, since what is decided twice is mostly decided in
    the same way.

    Args:
        shots: What became of releases.
        lessons: What they taught.
    """

    shots: dict[_Shown, Shot] = field(default_factory=dict)
    lessons: dict[_Said, Lesson] = field(default_factory=dict)

    def of_landed(self, numbers: Collection[int]) -> "Made":
        """What some releases taught, and what became of them with their landings: it hangs on
        nothing else."""
        return Made(
            {k: shot for k, shot in self.shots.items() if k[1] is not None and k[0] in numbers},
            {k: lesson for k, lesson in self.lessons.items() if k[0] in numbers},
        )


class Course:
    """What has been decided so far.

    Args:
        contest: What is to be paired.
        groups: What is decided together, all of it.
        suspects: Releases and landings that may be another one reported again.
        as_of: Now, microseconds.
        made: What was made before of what is as it was.
    """

    def __init__(
        self,
        contest: Contest,
        groups: Iterable[Group],
        suspects: Collection[UUID],
        as_of: int,
        made: Made,
    ) -> None:
        self.contest = contest
        self.shots: dict[int, Shot] = {}
        self._made = made
        self._suspects = suspects
        self._as_of = as_of
        self._pairings: dict[int, Pairing] = {}
        self._lessons: dict[int, Lesson] = {}
        # Landings that are somebody's, or may still be.
        self._spoken_for = {
            number for group in groups for each in group.values() for number in each
        }

    def pairings(self, group: Group, learned: Learned) -> Pairings:
        """How a group is decided best, by what is known."""
        options: dict[int, list[Option]] = {}
        for release, landings in group.items():
            if found := self.contest.options(release, landings, learned):
                options[release] = found
        decided = assign(options)
        if len(decided) == len(group):
            return decided
        return {release: decided.get(release, NOTHING) for release in group}

    def take(self, group: Group, pairings: Pairings, learned: Learned) -> None:
        """Take the decision of a group by what was known, instead of an earlier one."""
        self._pairings |= pairings
        for landings in group.values():
            self._spoken_for.difference_update(landings)
        is_contested = _is_contested(group)
        for number, pairing in pairings.items():
            landing, sure = pairing.landing, pairing.probability
            is_doubtful = False
            if landing is not None:
                self._spoken_for.add(landing)
            else:
                # One that was taken for another's repeated report may be its.
                is_doubtful = self.contest.fits_doubtful(number, learned)
            if is_contested:
                sure = _doubted(sure)
            # In hundredths: what comes later must not change a shot by less than anyone would look
            # at.
            key = (number, landing, round(sure, 2), is_doubtful)
            shot = self._made.shots.get(key)
            if shot is None:
                shot = self._made.shots[key] = self._outcome(*key)
            self.shots[number] = shot

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
        is_contested = _is_contested(group)
        new: list[Lesson] = []
        for number in group:
            status = self.shots[number].status
            if status is Status.LANDED or status is Status.MISSED:
                lesson = self._lesson(number, status is Status.MISSED, is_contested)
                self._lessons[number] = lesson
                new.append(lesson)
        return new

    def _lesson(self, number: int, is_missing: bool, is_contested: bool) -> Lesson:
        """What a decided shot teaches: its flight, when nothing else could have been."""
        pairing = self._pairings[number]
        landing, probability = pairing.landing, pairing.probability
        if landing is not None and is_contested and probability < CERTAIN:
            landing = None
        key = (number, landing, is_missing, self.contest.strays_after(number, self._spoken_for))
        lesson = self._made.lessons.get(key)
        if lesson is None:
            lesson = self._made.lessons[key] = self._teaching(*key)
        return lesson

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
    if len(group) > 1:
        return True
    (landings,) = group.values()
    return len(landings) > 1


def _doubted(probability: float) -> float:
    return probability / (probability + DOUBT * (1.0 - probability))
