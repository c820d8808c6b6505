"""What a landing is worth: lines, shafts, spots and whose face it is."""

from math import cos, radians, sin
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.errors import DomainError, NoFace, UnknownFaceType
from core.domain.faces import FACE_TYPES
from core.domain.scoring import Face, LineRule, Score, score_landing

SINGLE_SPOT = sorted(code for code, face in FACE_TYPES.items() if len(face.spots) == 1)

# Hundredths of a millimetre: every line of every face is a whole number of them from its centre.
HUNDREDTHS = st.integers(0, 80_000).map(lambda n: n / 100)
SHAFTS = st.integers(18, 93).map(lambda n: n / 10)
COORDINATES = st.integers(-80_000, 80_000).map(lambda n: n / 100)
DEGREES = st.floats(0, 360, allow_nan=False)
RULES = st.sampled_from(LineRule)
FACES = st.sampled_from(sorted(FACE_TYPES))
exactly = settings(derandomize=True, deadline=None, max_examples=200)


def face(code: str, x: float = 0, y: float = 0, letter: str | None = None, number: int = 1) -> Face:
    """Everyone's face in the middle of the butt, unless told otherwise."""
    return Face(UUID(int=number), code, x, y, letter)


def landing(
    x: float,
    y: float,
    *faces: Face,
    letter: str = "A",
    shaft: float = 5.5,
    rule: LineRule = LineRule.INCLUSIVE,
) -> Score:
    """A's arrow of 5.5 mm, with touching counted, unless told otherwise."""
    return score_landing(x, y, faces=faces, letter=letter, shaft_diameter_mm=shaft, line_rule=rule)


def value(score: Score) -> tuple[int, bool]:
    """What can be held against another value: the score, and an X above a plain one."""
    return score.score, score.is_x


FULL = face("wa_122_full")


def test_the_centre_is_an_x_that_scores_ten() -> None:
    assert landing(0, 0, FULL) == Score(10, "X", True, FULL.id, 0, False, 33.25, 32.75)


def test_a_shaft_that_touches_a_line_scores_the_higher_zone() -> None:
    assert landing(64.0, 0, FULL, shaft=6.0).label == "10"


def test_where_a_line_must_be_cut_touching_it_is_not_enough() -> None:
    assert landing(64.0, 0, FULL, shaft=6.0, rule=LineRule.MUST_CUT).label == "9"


def test_where_a_line_must_be_cut_a_tenth_of_a_millimetre_is_enough() -> None:
    assert landing(63.9, 0, FULL, shaft=6.0, rule=LineRule.MUST_CUT).label == "10"


def test_a_shaft_just_outside_a_line_scores_the_lower_zone() -> None:
    assert landing(64.01, 0, FULL, shaft=6.0).label == "9"


@pytest.mark.parametrize(("rule", "label"), [(LineRule.INCLUSIVE, "10"), (LineRule.MUST_CUT, "9")])
def test_decimals_that_binary_rounds_still_touch(rule: LineRule, label: str) -> None:
    # 64.0 from the centre, but the subtraction leaves a few femtometres.
    aside = face("wa_122_full", x=-0.1 - 0.2)
    assert landing(63.7, 0, aside, shaft=6.0, rule=rule).label == label


@pytest.mark.parametrize(("rule", "label"), [(LineRule.INCLUSIVE, "10"), (LineRule.MUST_CUT, "9")])
def test_a_slanted_landing_touches_as_a_level_one_does(rule: LineRule, label: str) -> None:
    assert landing(38.4, 51.2, FULL, shaft=6.0, rule=rule).label == label


def test_a_thick_shaft_reaches_what_a_thin_one_does_not() -> None:
    labels = [landing(65.0, 0, FULL, shaft=shaft).label for shaft in (5.0, 9.3)]
    assert labels == ["9", "10"]


def test_off_every_face_is_a_miss_without_a_face() -> None:
    assert landing(700, 0, FULL) == Score(0, "M", False, None, None, False, 87.25, 86.25)


def test_the_outermost_line_of_a_face_counts() -> None:
    assert landing(612.75, 0, FULL).label == "1"


def test_a_six_ring_face_ends_where_it_is_printed() -> None:
    assert landing(250, 0, face("wa_80_6ring")).label == "M"


def test_a_face_is_scored_around_its_own_centre() -> None:
    assert landing(-330, 250, face("wa_40_full", x=-330, y=250)).label == "X"


def test_compound_indoors_is_nine_where_others_have_ten() -> None:
    labels = [landing(15, 0, face(f"wa_40_full{kind}")).label for kind in ("", "_compound")]
    assert labels == ["10", "9"]


def test_the_compound_ten_is_not_an_x() -> None:
    assert value(landing(0, 0, face("wa_40_full_compound"))) == (10, False)


def test_the_lancaster_x_scores_eleven() -> None:
    assert value(landing(0, 0, face("lancaster_40"))) == (11, True)


@pytest.mark.parametrize(("y", "spot"), [(220, 0), (0, 1), (-220, 2)])
def test_the_spot_that_was_hit_is_named(y: float, spot: int) -> None:
    assert landing(0, y, face("wa_40_triple_vertical")).spot == spot


def test_between_the_spots_is_a_miss() -> None:
    assert landing(0, 110, face("wa_40_triple_vertical")).label == "M"


def test_another_archers_face_is_a_miss_that_names_it() -> None:
    other = face("wa_80_6ring", x=500, letter="B")
    mine = face("wa_80_6ring", x=-500, letter="A", number=2)
    assert landing(500, 0, mine, other) == Score(0, "M", False, other.id, 0, True, 757.25, 756.25)


def test_a_face_without_a_letter_is_everyones() -> None:
    assert landing(0, 0, FULL, letter="D").is_wrong_face is False


def test_the_archers_own_face_counts_where_it_overlaps_anothers() -> None:
    mine = face("wa_40_full", x=150, letter="A", number=2)
    other = face("wa_40_full", letter="B")
    assert landing(0, 0, other, mine).face_id == mine.id


def test_on_overlapping_faces_the_best_score_counts() -> None:
    near, far = face("wa_40_full", x=60), face("wa_40_full", x=150, number=2)
    assert landing(0, 0, far, near).face_id == near.id


def test_an_x_is_better_than_a_ten_deeper_within_its_line() -> None:
    ten, x = face("wa_40_full", x=14), face("wa_40_full", x=12, number=2)
    assert landing(0, 0, ten, x).face_id == x.id


def test_faces_in_the_same_place_are_told_apart_by_id() -> None:
    twins = face("wa_40_full", number=7), face("wa_40_full", number=3)
    assert landing(0, 0, *twins).face_id == UUID(int=3)


def test_a_butt_without_a_face_gives_no_score() -> None:
    with pytest.raises(NoFace):
        landing(0, 0)


@pytest.mark.parametrize("letter", ["A", None])
def test_an_unknown_face_that_counts_for_the_archer_is_named(letter: str | None) -> None:
    with pytest.raises(UnknownFaceType, match="wa_133_full"):
        landing(0, 0, FULL, face("wa_133_full", letter=letter, number=2))


def test_an_unknown_face_of_another_archer_changes_nothing() -> None:
    other = face("wa_133_full", letter="B", number=2)
    assert landing(0, 0, FULL, other) == landing(0, 0, FULL)


def test_what_cannot_be_scored_is_one_kind_of_error() -> None:
    assert issubclass(NoFace, DomainError) and issubclass(UnknownFaceType, DomainError)


def test_the_line_distance_is_zero_on_the_line() -> None:
    assert landing(64.0, 0, FULL, shaft=6.0).line_distance_mm == 0


@pytest.mark.parametrize(("x", "distance_mm"), [(40.0, 6.5), (70.0, 6.0), (120.0, 5.0)])
def test_the_line_distance_is_to_the_nearer_line(x: float, distance_mm: float) -> None:
    assert landing(x, 0, FULL, shaft=6.0).line_distance_mm == distance_mm


def test_a_line_that_changes_nothing_is_no_line() -> None:
    # A 6 on both faces, 2 mm within on the lower and 5 mm on the upper, which would remain.
    upper, lower = face("wa_40_triple_vertical"), face("wa_40_full", y=-199, number=2)
    score = landing(0, -98.0, upper, lower, shaft=6.0)
    assert (score.label, score.line_distance_mm) == ("6", 5.0)


def test_without_a_face_that_counts_there_is_no_line() -> None:
    assert landing(0, 0, face("wa_40_full", letter="B")).line_distance_mm is None


@exactly
@given(st.sampled_from(SINGLE_SPOT), HUNDREDTHS, DEGREES, SHAFTS, RULES)
def test_turning_a_single_face_changes_no_score(
    code: str, radius: float, degrees: float, shaft: float, rule: LineRule
) -> None:
    turned = radius * cos(radians(degrees)), radius * sin(radians(degrees))
    level = landing(radius, 0, face(code), shaft=shaft, rule=rule)
    assert value(landing(*turned, face(code), shaft=shaft, rule=rule)) == value(level)


@exactly
@given(st.sampled_from(SINGLE_SPOT), HUNDREDTHS, HUNDREDTHS, SHAFTS, RULES)
def test_nearer_the_centre_never_scores_less(
    code: str, one: float, two: float, shaft: float, rule: LineRule
) -> None:
    near, far = (
        value(landing(x, 0, face(code), shaft=shaft, rule=rule)) for x in sorted((one, two))
    )
    assert near >= far


@exactly
@given(FACES, COORDINATES, COORDINATES, st.tuples(SHAFTS, SHAFTS), RULES)
def test_a_thicker_shaft_never_scores_less(
    code: str, x: float, y: float, shafts: tuple[float, float], rule: LineRule
) -> None:
    thin, thick = (
        value(landing(x, y, face(code), shaft=shaft, rule=rule)) for shaft in sorted(shafts)
    )
    assert thick >= thin


@exactly
@given(FACES, COORDINATES, COORDINATES, SHAFTS)
def test_having_to_cut_the_line_never_scores_more(
    code: str, x: float, y: float, shaft: float
) -> None:
    cut = landing(x, y, face(code), shaft=shaft, rule=LineRule.MUST_CUT)
    assert value(cut) <= value(landing(x, y, face(code), shaft=shaft))


@exactly
@given(st.permutations(range(4)), COORDINATES, COORDINATES)
def test_the_order_of_the_faces_changes_nothing(order: list[int], x: float, y: float) -> None:
    faces = [
        face("wa_40_full", x=-150, letter="A", number=1),
        face("wa_40_full", x=150, letter="B", number=2),
        face("wa_40_triple_vegas", number=3),
        face("wa_40_triple_vegas", number=4),
    ]
    assert landing(x, y, *(faces[index] for index in order)) == landing(x, y, *faces)


@exactly
@given(FACES, COORDINATES, COORDINATES, SHAFTS, st.floats(0, 0.99))
def test_moving_less_than_the_line_distance_changes_no_score(
    code: str, x: float, y: float, shaft: float, part: float
) -> None:
    here = landing(x, y, face(code), shaft=shaft)
    step = part * (here.line_distance_mm or 0)
    assert value(landing(x + step, y, face(code), shaft=shaft)) == value(here)
