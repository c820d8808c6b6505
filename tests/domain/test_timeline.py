"""Which engage and which arrow belong to a release."""

from core.domain.timeline import releases
from core.domain.values import Event, Rules
from tests.domain.fields import engage, identified, micro, named, release


def of_slot(*events: Event, rules: Rules | None = None) -> list[tuple[int, int | None, object]]:
    """Each release: when it was, the engage and the arrow that it took."""
    found = releases(named("slot A"), events, rules or Rules())
    return [(each.event.at, each.engaged_at, each.arrow_id) for each in found]


def test_a_release_takes_the_engage_before_it_and_that_engage_the_arrow_seen_before_it() -> None:
    events = identified(9.5, "A1"), engage(10), release(14)
    assert of_slot(*events) == [(micro(14), micro(10), named("arrow A1"))]


def test_an_arrow_seen_longer_ago_than_the_association_window_is_not_the_one_nocked() -> None:
    assert of_slot(identified(8.9, "A1"), engage(10), release(14)) == [(micro(14), micro(10), None)]


def test_an_arrow_seen_exactly_the_association_window_ago_is_the_one_nocked() -> None:
    events = identified(9, "A1"), engage(10), release(14)
    assert of_slot(*events) == [(micro(14), micro(10), named("arrow A1"))]


def test_an_arrow_seen_in_the_instant_of_the_engage_is_the_one_nocked() -> None:
    events = identified(10, "A1"), engage(10), release(14)
    assert of_slot(*events) == [(micro(14), micro(10), named("arrow A1"))]


def test_what_the_bow_says_of_its_arrow_comes_before_what_was_seen() -> None:
    events = identified(9.5, "A1"), engage(10, arrow="A2"), release(14)
    assert of_slot(*events) == [(micro(14), micro(10), named("arrow A2"))]


def test_a_second_engage_before_the_release_makes_the_first_a_let_down() -> None:
    events = identified(4.5, "A1"), engage(5), identified(15.3, "A2"), engage(15.8), release(19)
    assert of_slot(*events) == [(micro(19), micro(15.8), named("arrow A2"))]


def test_an_engage_held_for_too_long_is_not_the_releases() -> None:
    assert of_slot(engage(10), release(70.001)) == [(micro(70.001), None, None)]


def test_an_engage_serves_one_release_only() -> None:
    found = of_slot(engage(10), release(14), release(16))
    assert found == [(micro(14), micro(10), None), (micro(16), None, None)]


def test_releases_within_the_debounce_are_one_however_many_they_are() -> None:
    assert of_slot(release(14), release(14.15), release(14.3)) == [(micro(14), None, None)]


def test_a_release_after_the_debounce_is_another() -> None:
    found = of_slot(release(14), release(14.151))
    assert [at for at, _, _ in found] == [micro(14), micro(14.151)]


def test_an_arrow_seen_before_a_release_does_not_name_the_next_one() -> None:
    rules = Rules(association_window=micro(10))
    found = of_slot(identified(10, "A1"), release(12), engage(14), release(16), rules=rules)
    assert found == [(micro(12), None, None), (micro(16), micro(14), None)]
