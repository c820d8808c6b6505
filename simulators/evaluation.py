"""What the API says held against what really happened."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from simulators.truth import TrueShot, Truth


class Verdict(StrEnum):
    """How the API's word about a shot relates to the truth."""

    RIGHT = "right"
    WRONG_LANDING = "another shot's landing"
    WRONG_ARCHER = "wrong archer"
    MISSED_LANDING = "missed landing"
    INVENTED_LANDING = "invented landing"
    WRONG_SCORE = "wrong score"
    UNDECIDED = "undecided"
    MISSING = "no shot"
    EXTRA = "a shot too many"


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The verdicts on a tournament.

    Args:
        counts: How many shots got each verdict.
        wrong: Each shot that is not right, by its release event, with the verdict.
    """

    counts: Mapping[Verdict, int]
    wrong: Sequence[tuple[str, Verdict]]

    @property
    def total(self) -> int:
        """How many shots were looked at."""
        return sum(self.counts.values())

    @property
    def percent_right(self) -> float:
        """The share that is right; of nothing, all is."""
        return 100.0 * self.counts[Verdict.RIGHT] / self.total if self.total else 100.0


def evaluate(truth: Truth, shots: Sequence[Mapping[str, Any]]) -> Evaluation:
    """Hold the API's shots against the truth.

    Args:
        truth: What really happened, and what of it reached the wire.
        shots: As the API shows them; voided ones do not count.
    """
    landings = {true.landing_event_id for true in truth.shots} - {None}
    said = {shot["release_event_id"]: shot for shot in shots if shot["status"] != "voided"}
    verdicts: dict[str, Verdict] = {}
    for true in truth.shots:
        shot = said.pop(true.release_event_id, None)
        if true.release_sent:
            verdicts[true.release_event_id] = _verdict(true, shot, landings)
        elif shot is not None:
            verdicts[true.release_event_id] = Verdict.EXTRA
    verdicts |= {release: Verdict.EXTRA for release in said}
    counts = Counter(verdicts.values())
    wrong = [(release, v) for release, v in verdicts.items() if v is not Verdict.RIGHT]
    return Evaluation({verdict: counts[verdict] for verdict in Verdict}, wrong)


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
