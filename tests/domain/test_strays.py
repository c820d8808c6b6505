"""Landings that are nobody's, and why."""

from collections.abc import Iterable
from copy import replace

from core.domain.correlation import correlate
from core.domain.review import Reason
from core.domain.strays import Stray, explained
from core.domain.values import Butt, Event
from core.domain.window import Span
from tests.domain.fields import LATER, butt, landed, micro, named, only_shot, release, slot


def told(events: Iterable[Event], where: Butt | None = None) -> tuple[Stray, ...]:
    """The strays among these events."""
    said, at_it = list(events), butt() if where is None else where
    return explained(correlate(said, at_it, LATER), said, at_it)


def only(events: Iterable[Event], where: Butt | None = None) -> Stray:
    """The one stray that there is."""
    (stray,) = told(events, where)
    return stray


def test_a_landing_that_finds_its_release_is_no_stray() -> None:
    assert not told([release(10), landed(10.35)])


def test_a_hit_while_nothing_was_in_the_air_had_no_release() -> None:
    stray = only([release(10), landed(10.35), landed(40, x=12)])
    assert (stray.reason, stray.landing.id) == (Reason.NO_RELEASE, named("l40"))
    assert stray.nearest_shot_id is None


def test_a_second_hit_of_one_arrow_is_left_over() -> None:
    stray = only([release(10), landed(10.34), landed(10.9, x=300)])
    assert (stray.reason, stray.landing.id) == (Reason.LEFT_OVER, named("l10.9"))


def test_a_hit_later_than_the_window_names_the_release_that_it_may_be_of() -> None:
    said = [release(10), landed(13.2)]
    stray = only(said)
    assert stray.reason is Reason.OUT_OF_WINDOW
    assert stray.nearest_shot_id == only_shot(said, butt()).id


def test_two_windows_after_a_release_a_hit_is_not_of_it() -> None:
    assert only([release(10), landed(16)]).reason is Reason.OUT_OF_WINDOW
    assert only([release(10), landed(16.001)]).reason is Reason.NO_RELEASE


def test_a_hit_before_any_arrow_could_have_arrived_had_no_release() -> None:
    assert only([release(10), landed(10.1)]).reason is Reason.NO_RELEASE


def test_a_hit_of_another_archers_arrow_does_not_fit_the_one_in_the_air() -> None:
    where = butt(slot("A"), slot("B"), arrows=["A1", "B1"])
    said = [release(10), landed(10.35, arrow="B1")]
    stray = only(said, where)
    assert stray.reason is Reason.DOES_NOT_FIT
    assert stray.nearest_shot_id == only_shot(said, where).id


def test_reports_of_one_impact_are_one_stray_with_its_duplicates() -> None:
    stray = only([landed(40.1, x=2), landed(40.2, x=3), landed(40, x=1)])
    assert stray.landing.id == named("l40")
    assert stray.duplicates == (named("l40.1"), named("l40.2"))


def test_two_impacts_at_once_are_two() -> None:
    assert [stray.duplicates for stray in told([landed(40), landed(40.01, x=90)])] == [(), ()]


def test_a_judge_is_told_once_the_release_can_no_longer_come() -> None:
    assert only([landed(40)]).deadline == micro(43.5)


def test_a_landing_that_came_late_waits_for_its_release_to_come_too() -> None:
    assert only([landed(40, received=500)]).deadline == micro(500.5)


def test_a_hit_outside_the_session_is_no_stray_of_it() -> None:
    assert not told([landed(40)], butt(closes=20))


def test_outside_an_end_arrows_are_pulled() -> None:
    said, where, shooting = [release(10), landed(12.9), landed(40)], butt(), Span(0, micro(20))
    found = correlate(said, where, LATER)
    strays = explained(found, said, where, lambda at: shooting.begin <= at <= shooting.end)
    assert [stray.reason for stray in strays] == [Reason.OUTSIDE_END]


def test_outside_an_end_a_hit_that_was_late_is_told_as_late() -> None:
    said, where = [release(10), landed(13.2)], butt()
    found = correlate(said, where, LATER)
    (stray,) = explained(found, said, where, lambda at: False)
    assert stray.reason is Reason.OUT_OF_WINDOW


def test_an_impacts_arrow_is_told_whichever_report_named_it() -> None:
    stray = only([landed(40), replace(landed(40.05), arrow_id=named("arrow A1"))])
    assert stray.landing.arrow_id == named("arrow A1")
