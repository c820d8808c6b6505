"""What Quiver is compared with works, and is done by a deadline though it cannot keep up."""

from typing import Any

import pytest
from arq.worker import get_kwargs

from bench.against.stock import Quick, Stock, handle_event, shutdown, startup
from bench.benchmarks.ratios import latencies, ratios, replayed
from bench.load.tally import Tally


@pytest.mark.parametrize(("settings", "delay"), [(Stock, None), (Quick, 0.01)])
def test_arq_finds_what_a_worker_needs(settings: type[Any], delay: float | None) -> None:
    found: dict[str, Any] = dict(get_kwargs(settings))
    assert found["functions"] == [handle_event]
    assert (found["on_startup"], found["on_shutdown"]) == (startup, shutdown)
    assert found["redis_settings"].database == 1
    assert found.get("poll_delay") == delay


def test_latencies_are_of_what_was_done_and_the_rest_is_counted() -> None:
    tally = Tally(
        latencies={"warm-up": [(0.0, 9.0)], "mean": [(1.0, 5.0)]}, unseen_live={"peak": 7}
    )
    assert latencies("(a)", tally) == {
        "(a) mean p50 ms": 5.0,
        "(a) mean p99 ms": 5.0,
        "(a) peak landings not done": 7,
    }


def test_a_rate_is_of_the_events_that_were_done() -> None:
    tally = Tally(backlog_sent=300, unseen=40, backlog_seen_s=2.0)
    assert replayed("(a)", tally)["(a) replay events/s"] == 90.0


def test_who_did_nothing_has_no_rate() -> None:
    tally = Tally(backlog_sent=300, unseen=100, backlog_seen_s=0.0)
    assert "(a) replay events/s" not in replayed("(a)", tally)


def test_there_is_a_ratio_of_what_both_have() -> None:
    said = {"quiver mean p50 ms": 4.0, "(a) mean p50 ms": 8.0, "quiver peak p50 ms": 5.0}
    assert ratios(said) == {"quiver / (a), mean p50 ms": 0.5}
