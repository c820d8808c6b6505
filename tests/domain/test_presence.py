"""Whether a reader was there to see a landing."""

from copy import replace

from core.domain.presence import Sight, sight
from core.domain.values import Boot, Watch
from tests.domain.fields import micro, watch


def seen(*watches: Watch, as_of: float = 20) -> Sight:
    """Of a window from 10 s to 13 s."""
    return sight(watches, micro(10), micro(13), micro(as_of), micro(30))


def test_a_butt_without_a_reader_saw_nothing() -> None:
    assert seen() is Sight.ABSENT


def test_a_reader_never_heard_from_was_not_there() -> None:
    assert seen(watch()) is Sight.ABSENT


def test_a_reader_heard_from_since_the_window_ended_was_there() -> None:
    assert seen(watch(Boot(None, micro(13)), heard=13), as_of=99) is Sight.PROVEN


def test_an_event_since_the_window_ended_counts_as_much_as_a_heartbeat() -> None:
    heard = watch(Boot(micro(1), None, micro(14)), heard=14)
    assert seen(heard, as_of=99) is Sight.PROVEN


def test_a_reader_that_is_still_online_is_presumed_to_have_been_there() -> None:
    assert seen(watch(Boot(None, micro(9)), heard=9)) is Sight.PRESUMED


def test_a_reader_silent_for_too_long_before_the_window_ended_was_not_there() -> None:
    assert seen(watch(Boot(None, micro(9)), heard=9), as_of=39.001) is Sight.ABSENT


def test_a_reader_switched_on_during_the_window_cannot_know() -> None:
    assert seen(watch(Boot(micro(11), micro(15)), heard=15)) is Sight.ABSENT


def test_a_reader_that_has_more_to_send_has_not_said_all() -> None:
    assert seen(watch(Boot(micro(1), None), heard=15, buffered=5)) is Sight.ABSENT


def test_a_later_restart_takes_nothing_from_what_was_said_before_it() -> None:
    boots = Boot(micro(1), micro(14)), Boot(micro(16), micro(18))
    assert seen(watch(*boots, heard=18)) is Sight.PROVEN


def test_what_is_heard_after_a_restart_says_nothing_of_the_time_before() -> None:
    boots = Boot(micro(1), micro(9), micro(17)), Boot(micro(12), None)
    assert seen(watch(*boots, heard=17)) is Sight.ABSENT


def test_a_reader_that_was_moved_away_meanwhile_did_not_see_it() -> None:
    moved = replace(watch(Boot(None, micro(15)), heard=15), bound_to=micro(12))
    assert seen(moved) is Sight.ABSENT


def test_one_of_two_readers_suffices() -> None:
    assert seen(watch(), watch(Boot(None, micro(15)), heard=15)) is Sight.PROVEN
