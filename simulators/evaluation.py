"""What is said of shots held against what really happened."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from simulators.truth import TrueShot, Truth

# An archer's shots up to this one are told apart from the others: not much is known of them yet.
FIRST_SHOTS = 20
# Where the bins of confidence begin; the last one ends with 1.
BINS = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)


class Verdict(StrEnum):
    """How what is said about a shot relates to the truth."""

    RIGHT = "right"
    WRONG_LANDING = "another shot's landing"
    WRONG_ARCHER = "wrong archer"
    MISSED_LANDING = "missed landing"
    INVENTED_LANDING = "invented landing"
    WRONG_SCORE = "wrong score"
    UNDECIDED = "undecided"
    MISSING = "no shot"
    EXTRA = "a shot too many"


# An assignment can be wrong in these ways; the rest is wrong for other reasons.
MISASSIGNED = (
    Verdict.WRONG_LANDING,
    Verdict.WRONG_ARCHER,
    Verdict.MISSED_LANDING,
    Verdict.INVENTED_LANDING,
)


@dataclass(frozen=True, slots=True)
class Judged:
    """A shot that was said, and what is to be held of that.

    Args:
        release: Its release's event.
        verdict: How it relates to the truth.
        number: Which of its archer's shots it was, from 1; None: it never happened.
        confidence: How sure it was said to be; None: it was not said.
        is_ambiguous: Whether it was said to be doubtful.
    """

    release: str
    verdict: Verdict
    number: int | None = None
    confidence: float | None = None
    is_ambiguous: bool = False

    @property
    def is_right(self) -> bool:
        """Whether nothing is wrong with it."""
        return self.verdict is Verdict.RIGHT

    @property
    def is_first(self) -> bool:
        """Whether it was one of its archer's first."""
        return self.number is not None and self.number <= FIRST_SHOTS


@dataclass(frozen=True, slots=True)
class Bin:
    """Shots that were said to be right with about one probability.

    Args:
        begins: The least confidence in it.
        shots: How many there were.
        said: Their mean confidence.
        right: The share that was right.
    """

    begins: float
    shots: int
    said: float
    right: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The verdicts on a tournament.

    Args:
        judged: Each shot that happened or was said, with its verdict.
        counted_twice: Landings that were given to more than one shot.
    """

    judged: Sequence[Judged]
    counted_twice: int = 0

    @property
    def counts(self) -> Mapping[Verdict, int]:
        """How many shots got each verdict."""
        counts = Counter(each.verdict for each in self.judged)
        return {verdict: counts[verdict] for verdict in Verdict}

    @property
    def wrong(self) -> Sequence[tuple[str, Verdict]]:
        """Each shot that is not right, by its release event, with the verdict."""
        return [(each.release, each.verdict) for each in self.judged if not each.is_right]

    @property
    def total(self) -> int:
        """How many shots were looked at."""
        return len(self.judged)

    @property
    def percent_right(self) -> float:
        """The share that is right; of nothing, all is."""
        return 100.0 * self.counts[Verdict.RIGHT] / self.total if self.total else 100.0

    def errors(self, *, first: bool) -> int:
        """Shots that were assigned wrongly: among the archers' first, or among the others."""
        return sum(e.verdict in MISASSIGNED and e.is_first is first for e in self.judged)

    def shots(self, *, first: bool) -> int:
        """How many of the archers' first shots, or of the others, were looked at."""
        return sum(each.is_first is first for each in self.judged)

    def ambiguous(self, *, right: bool) -> float:
        """The share of the right ones, or of those assigned wrongly, that was said to be
        doubtful; 0 of none."""
        of = [e for e in self.judged if (e.is_right if right else e.verdict in MISASSIGNED)]
        return sum(each.is_ambiguous for each in of) / len(of) if of else 0.0

    def calibration(self) -> list[Bin]:
        """What was said of how sure it is, held against how often it was right."""
        found: list[Bin] = []
        for begins, ends in zip(BINS, (*BINS[1:], 2.0), strict=True):
            inside = [
                (each.confidence, each.verdict not in MISASSIGNED)
                for each in self.judged
                if each.confidence is not None and begins <= each.confidence < ends
            ]
            if inside:
                count = len(inside)
                said, right = sum(c for c, _ in inside), sum(is_right for _, is_right in inside)
                found.append(Bin(begins, count, said / count, right / count))
        return found


def evaluate(truth: Truth, shots: Iterable[Mapping[str, Any]]) -> Evaluation:
    """Hold what is said of shots against the truth.

    Args:
        truth: What really happened, and what of it reached the wire.
        shots: As the API shows them; voided ones do not count.
    """
    landings = {true.landing_event_id for true in truth.shots} - {None}
    said = {shot["release_event_id"]: shot for shot in shots if shot["status"] != "voided"}
    given = Counter(shot["landing_event_id"] for shot in said.values())
    given.pop(None, None)
    judged: list[Judged] = []
    numbers: Counter[str] = Counter()
    for true in truth.shots:
        numbers[true.slot_id] += 1
        shot = said.pop(true.release_event_id, None)
        if true.release_sent:
            verdict = _verdict(true, shot, landings)
            judged.append(_judged(true.release_event_id, verdict, shot, numbers[true.slot_id]))
        elif shot is not None:
            judged.append(_judged(true.release_event_id, Verdict.EXTRA, shot))
    judged += [_judged(release, Verdict.EXTRA, shot) for release, shot in said.items()]
    return Evaluation(judged, sum(count - 1 for count in given.values()))


def _judged(
    release: str, verdict: Verdict, shot: Mapping[str, Any] | None, number: int | None = None
) -> Judged:
    if shot is None:
        return Judged(release, verdict, number)
    is_ambiguous = "ambiguous" in shot.get("flags", ())
    return Judged(release, verdict, number, shot.get("confidence"), is_ambiguous)


def _verdict(
    true: TrueShot, shot: Mapping[str, Any] | None, landings: Collection[str | None]
) -> Verdict:
    if shot is None:
        return Verdict.MISSING
    if shot["slot_id"] != true.slot_id:
        return Verdict.WRONG_ARCHER
    if shot["status"] in ("in_flight", "unresolved"):
        return Verdict.UNDECIDED
    landing = true.landing_event_id if true.landing_sent else None
    found = shot["landing_event_id"]
    if found != landing:
        return _wrong_landing(found, landings)
    expected = true.score if landing is not None else 0
    return Verdict.RIGHT if shot["score"] == expected else Verdict.WRONG_SCORE


def _wrong_landing(found: str | None, landings: Collection[str | None]) -> Verdict:
    if found is None:
        return Verdict.MISSED_LANDING
    return Verdict.WRONG_LANDING if found in landings else Verdict.INVENTED_LANDING
