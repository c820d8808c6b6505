"""What holds for any arrows and any ends whatever."""

import random
from collections.abc import Sequence
from itertools import accumulate

from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.ends import End, EndControl, EndRules, Placed, settle
from core.domain.values import Shot, ShotFlag, Status
from tests.domain.fields import micro
from tests.domain.test_ends import BESIDE, arrow, judging, without_landing

STATUSES = [Status.LANDED] * 5 + [s for s in Status if s is not Status.LANDED]


@st.composite
def shot_by_one(draw: st.DrawFn) -> list[Shot]:
    """Arrows of one archer, some of which did not land."""
    count = draw(st.integers(0, 14))
    shots: list[Shot] = []
    for number in range(count):
        label, spot = draw(st.sampled_from(list(BESIDE))), draw(st.integers(0, 2))
        landed = arrow(10.0 * (number + 1), label, spot)
        status = draw(st.sampled_from(STATUSES))
        shots.append(landed if status is Status.LANDED else without_landing(landed, status))
    return shots


@st.composite
def end_rules(draw: st.DrawFn) -> EndRules:
    """Rules about ends, automatic or with ends that a judge opened."""
    arrows = draw(st.integers(1, 6))
    if draw(st.booleans()):
        return EndRules(arrows, draw(st.none() | st.integers(1, 4)))
    steps = draw(st.lists(st.integers(1, 60), max_size=8))
    bounds = list(accumulate(steps, initial=draw(st.integers(0, 60))))
    spans = list(zip(bounds[::2], [*bounds[1::2], None], strict=False))
    opened = tuple(
        End(number, micro(begins), None if ends is None else micro(ends))
        for number, (begins, ends) in enumerate(spans, 1)
    )
    return EndRules(arrows, None, EndControl.MANUAL, opened)


def shots_of(placed: Sequence[Placed]) -> list[Shot]:
    """The shots as they count."""
    return [each.shot for each in placed]


@given(shot_by_one(), end_rules(), st.randoms(use_true_random=False))
@settings(max_examples=300, deadline=None)
def test_the_order_in_which_shots_are_given_changes_nothing(
    shots: list[Shot], rules: EndRules, rng: random.Random
) -> None:
    mixed = rng.sample(shots, len(shots))
    assert settle(mixed, rules, judging()) == settle(shots, rules, judging())


@given(shot_by_one(), end_rules(), end_rules())
@settings(max_examples=300, deadline=None)
def test_what_was_settled_before_changes_nothing(
    shots: list[Shot], rules: EndRules, others: EndRules
) -> None:
    placed = settle(shots, rules, judging())
    assert settle(shots_of(placed), rules, judging()) == placed
    assert settle(shots_of(settle(shots, others, judging())), rules, judging()) == placed


@given(shot_by_one(), end_rules())
@settings(max_examples=300, deadline=None)
def test_no_end_counts_more_than_its_arrows_and_no_spot_more_than_one(
    shots: list[Shot], rules: EndRules
) -> None:
    placed = settle(shots, rules, judging())
    for number in {each.end_number for each in placed}:
        end = [p.shot for p in placed if p.end_number == number]
        inside = [s for s in end if ShotFlag.OUT_OF_END not in s.flags]
        counting = [s for s in inside if s.score and ShotFlag.EXTRA_ARROW not in s.flags]
        spots = [shot.spot for shot in counting]
        assert len(counting) <= rules.arrows_per_end
        assert len(spots) == len(set(spots))


@given(shot_by_one(), end_rules())
@settings(max_examples=300, deadline=None)
def test_a_rule_only_ever_lowers_what_an_arrow_counts(shots: list[Shot], rules: EndRules) -> None:
    before = {shot.id: shot for shot in shots}
    for shot in shots_of(settle(shots, rules, judging())):
        was = before[shot.id]
        lowered = (shot.score, shot.label, shot.is_x) == (0, "M", False)
        is_extra = ShotFlag.EXTRA_ARROW in shot.flags
        assert lowered if is_extra else shot.score == was.score and shot.label == was.label
        assert (shot.status, shot.x, shot.y, shot.spot) == (was.status, was.x, was.y, was.spot)


@given(shot_by_one(), end_rules(), st.randoms(use_true_random=False))
@settings(max_examples=300, deadline=None)
def test_the_arrows_from_an_ends_first_one_on_suffice(
    shots: list[Shot], rules: EndRules, rng: random.Random
) -> None:
    whole = settle(shots, rules, judging())
    first = rng.randint(0, len(whole))
    before = 0
    if rules.control is EndControl.AUTO:
        arrows = [n for n, each in enumerate(whole) if each.shot.status is not Status.VOIDED]
        ends_before = sum(n < first for n in arrows) // rules.arrows_per_end
        ends_before = min(ends_before, (rules.ends or ends_before + 1) - 1)
        before = ends_before * rules.arrows_per_end
        first = [*arrows, len(whole)][before]
    else:
        same = [n for n, each in enumerate(whole) if each.end_number == _number(whole, first)]
        first = min(same, default=first)
    rest = [each.shot for each in whole[first:]]
    assert settle(rest, rules, judging(), before=before) == whole[first:]


def _number(placed: Sequence[Placed], place: int) -> int | None:
    return placed[place].end_number if place < len(placed) else None
