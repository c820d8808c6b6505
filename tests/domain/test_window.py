"""How much of a butt's time an event can touch."""

import pytest

from core.domain.values import EventType, Rules
from core.domain.window import Span, cut, is_whole, look_back, reading, touched
from tests.domain.fields import micro

RULES = Rules()


def span(begin: float, end: float) -> Span:
    """From one second to another."""
    return Span(micro(begin), micro(end))


def test_a_landing_can_change_the_releases_before_it_and_what_follows_from_what_repeats_it() -> (
    None
):
    found = touched(EventType.LANDED, micro(100), RULES)
    assert found == span(96.8, 101.65)


@pytest.mark.parametrize("kind", [EventType.ENGAGE, EventType.RELEASE])
def test_a_draw_or_a_release_can_change_those_that_follow_within_the_longest_hold(
    kind: EventType,
) -> None:
    assert touched(kind, micro(100), RULES) == span(100, 160.15)


def test_an_arrow_that_was_seen_reaches_one_association_window_further() -> None:
    assert touched(EventType.IDENTIFIED, micro(100), RULES) == span(100, 161.15)


def test_a_span_in_a_quiet_time_is_cut_as_it_is() -> None:
    assert cut(span(20, 20), [micro(5), micro(30)], RULES) == span(20, 20)


def test_a_cut_never_lies_where_an_arrow_is_in_the_air() -> None:
    released = [micro(at) for at in (1, 5, 7.5, 9, 12, 14, 30)]
    assert cut(span(10, 10), released, RULES) == span(5, 17)


def test_what_was_read_suffices_only_with_a_timelines_look_back_before_it() -> None:
    wanted = span(100, 110)
    enough = reading(wanted, RULES, RULES.landing_window).span
    assert is_whole(wanted, enough, RULES)
    assert not is_whole(wanted, Span(enough.begin + 1, enough.end), RULES)
    assert enough.begin <= wanted.begin - look_back(RULES)


def test_what_was_read_suffices_only_with_a_landing_window_after_it() -> None:
    wanted = span(100, 110)
    assert not is_whole(wanted, span(0, 112.9), RULES)
    assert is_whole(wanted, span(0, 113), RULES)
