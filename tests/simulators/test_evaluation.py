"""What the API says held against the truth."""

from pathlib import Path
from typing import Any

import pytest

from simulators.evaluation import Verdict, evaluate
from simulators.truth import TrueShot, Truth, read_truth

HIT = TrueShot("slot", "arrow", "release", "landing", 1.0, 9, 2.3, 10.0, -90.5)
MISS = TrueShot("slot", "arrow", "release", None, 1.0, 0)


def shown(**changes: Any) -> dict[str, Any]:
    """A shot as the API shows it."""
    shot = {
        "release_event_id": "release",
        "landing_event_id": "landing",
        "slot_id": "slot",
        "status": "landed",
        "score": 9,
    }
    return shot | changes


MISSED = shown(landing_event_id=None, status="missed", score=0)


@pytest.mark.parametrize(
    ("true", "shots", "verdict"),
    [
        (HIT, [shown()], Verdict.RIGHT),
        (MISS, [MISSED], Verdict.RIGHT),
        (HIT, [MISSED], Verdict.MISSED_LANDING),
        (MISS, [shown()], Verdict.INVENTED_LANDING),
        (HIT, [shown(landing_event_id="another")], Verdict.INVENTED_LANDING),
        (HIT, [shown(slot_id="another")], Verdict.WRONG_ARCHER),
        (HIT, [shown(score=8)], Verdict.WRONG_SCORE),
        (HIT, [shown(status="in_flight", score=None)], Verdict.UNDECIDED),
        (MISS, [shown(landing_event_id=None, status="unresolved")], Verdict.UNDECIDED),
        (HIT, [], Verdict.MISSING),
        (HIT, [shown(status="voided")], Verdict.MISSING),
    ],
)
def test_each_shot_gets_its_verdict(
    true: TrueShot, shots: list[dict[str, Any]], verdict: Verdict
) -> None:
    found = evaluate(Truth("url", "session", [true]), shots)
    assert [v for v, count in found.counts.items() if count] == [verdict]


def test_a_landing_that_is_given_to_another_shot_is_wrong_with_that_shot() -> None:
    other = TrueShot("slot 2", "arrow 2", "release 2", None, 2.0, 0)
    found = evaluate(
        Truth("url", "session", [HIT, other]),
        [MISSED, shown(release_event_id="release 2", slot_id="slot 2")],
    )
    assert found.wrong == [
        ("release", Verdict.MISSED_LANDING),
        ("release 2", Verdict.WRONG_LANDING),
    ]


def test_a_landing_that_never_reached_the_wire_is_rightly_a_miss() -> None:
    lost = TrueShot("slot", "arrow", "release", "landing", 1.0, 9, landing_sent=False)
    assert evaluate(Truth("url", "session", [lost]), [MISSED]).percent_right == 100


def test_a_release_that_never_reached_the_wire_rightly_makes_no_shot() -> None:
    lost = TrueShot("slot", "arrow", "release", "landing", 1.0, 9, release_sent=False)
    assert evaluate(Truth("url", "session", [lost]), []).total == 0


def test_a_shot_that_nobody_made_is_one_too_many() -> None:
    found = evaluate(Truth("url", "session", [HIT]), [shown(), shown(release_event_id="?")])
    assert (found.counts[Verdict.RIGHT], found.counts[Verdict.EXTRA]) == (1, 1)
    assert found.percent_right == 50


def test_a_truth_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    truth = Truth("url", "session", [HIT, MISS])
    truth.write(tmp_path / "truth.json")
    assert read_truth(tmp_path / "truth.json") == truth


def test_a_file_that_holds_something_else_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "truth.json").write_text("[]")
    with pytest.raises(ValueError, match="is no truth file"):
        read_truth(tmp_path / "truth.json")
