"""Which reports are one impact."""

from collections.abc import Iterable

from core.domain import impacts as rules
from core.domain.impacts import grouped, repeated
from core.domain.values import Event
from tests.domain.fields import landed, named


def impacts(landings: Iterable[Event], shaft_mm: float) -> list[Event]:
    """What was reported."""
    return [rules.named(reports) for reports in grouped(landings, shaft_mm)]


def kept(*landings: Event) -> list[object]:
    """The reports that stand for an impact."""
    return [each.id for each in impacts(landings, 5.5)]


def test_two_reports_close_in_time_and_place_are_the_first_of_them() -> None:
    assert kept(landed(14.557, 109.1), landed(14.5, 107.9)) == [named("l14.5")]


def test_the_same_place_later_is_another_arrow() -> None:
    assert kept(landed(14.5, 10), landed(14.625, 10)) == [named("l14.5"), named("l14.625")]


def test_another_place_at_the_same_time_is_another_arrow() -> None:
    assert kept(landed(14.5, 10), landed(14.51, 15.5)) == [named("l14.5"), named("l14.51")]


def test_three_reports_in_a_row_are_one_although_the_last_is_far_from_the_first() -> None:
    assert kept(landed(14.5), landed(14.6), landed(14.7)) == [named("l14.5")]


def test_a_chain_of_reports_ends_two_tenths_of_a_second_after_its_first() -> None:
    reports = [landed(14.5), landed(14.61), landed(14.7), landed(14.701, 2)]
    assert grouped(reports, 5.5) == [reports[:3], reports[3:]]


def test_what_a_reader_goes_on_to_say_after_that_is_said_to_be_doubtful_each_time() -> None:
    reports = [landed(14.5 + n * 0.11) for n in range(30)]
    found = impacts(reports, 5.5)
    assert len(found) < len(reports)
    assert repeated(found, 5.5) == {each.id for each in found[1:]}


def test_another_arrow_is_not_swallowed_by_a_reader_that_stutters() -> None:
    robin_hood = landed(16.503, 2, 1)
    found = impacts([*(landed(14.5 + n * 0.11) for n in range(30)), robin_hood], 5.5)
    assert robin_hood in found


def test_an_impact_has_the_arrows_id_that_any_of_its_reports_has() -> None:
    found = impacts([landed(14.5), landed(14.55, arrow="A1")], 5.5)
    assert [each.arrow_id for each in found] == [named("arrow A1")]


def test_two_arrows_that_say_who_they_are_are_two() -> None:
    one, other = landed(14.5, arrow="A1"), landed(14.55, arrow="B1")
    assert kept(one, other) == [named("l14.5"), named("l14.55")]


def test_a_report_without_a_name_does_not_make_two_named_arrows_one() -> None:
    one, unnamed = landed(14.5, arrow="B1"), landed(14.6, 0.5)
    other, again = landed(14.66, 2, arrow="A1"), landed(14.7, 2, arrow="A1")
    found = impacts([one, unnamed, other, again], 5.5)
    assert [(each.id, each.arrow_id) for each in found] == [
        (one.id, named("arrow B1")),
        (other.id, named("arrow A1")),
    ]


def test_what_two_arrows_share_without_a_name_belongs_to_the_first() -> None:
    reports = [landed(14.5, arrow="B1"), landed(14.56, arrow="A1"), landed(14.6, 0.5)]
    found = grouped(reports, 5.5)
    assert found == [[reports[0], reports[2]], [reports[1]]]
