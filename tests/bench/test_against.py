"""What Quiver is compared with works, and is done by a deadline though it cannot keep up."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from arq.worker import get_kwargs

from bench.against.stock import Quick, Stock, handle_event, shutdown, startup
from bench.benchmarks import against as comparing
from bench.benchmarks.ratios import latencies, ratios, replayed, steps
from bench.load.job import Field
from bench.load.tally import Sample, Tally
from bench.stack import Stack as Servers
from bench.usage import Usage
from bench.wish import Wish
from core.settings import Settings


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


def test_the_floor_is_made_of_its_steps() -> None:
    live = Tally(steps_ms={"append": [0.3, 0.1, 0.2], "insert": [0.5]})
    late = Tally(steps_ms={"append": [4.0, 2.0]}, backlog_sent=300)
    assert steps("(c)", live, late) == {
        "(c) append p50 ms": 0.2,
        "(c) insert p50 ms": 0.5,
        "(c) replay append µs/event": 20.0,
    }


async def test_a_worker_of_the_others_that_ends_is_told_of(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = Servers(tmp_path, settings, 1, {})
    (tmp_path / "log").mkdir()
    usage = {"load": Usage(0.0, 10.0)}
    samples = [Sample(0.0, usage), Sample(1.0, usage)]

    async def kill_and_tell(*_: object, **__: object) -> Tally:
        stack.started["arq-0"].kill()
        stack.started["arq-0"].wait()
        return Tally(samples=samples, unseen=1)

    async def forget_nothing(_: str) -> None:
        pass

    monkeypatch.setattr(comparing, "_hand", kill_and_tell)
    monkeypatch.setattr(comparing, "forget", forget_nothing)
    monkeypatch.setattr(comparing, "probed", lambda *_: {})
    fields = (Field(str(uuid4()), []), Field(str(uuid4()), []))
    run = await comparing.beside_stock(stack, Wish(workers=1), comparing.STOCKS[0], fields)
    assert len(run.doubts) == 2
    assert all(why.startswith("(a): arq-0 ended with status -9") for why in run.doubts)
    assert [note for note in run.notes if "cannot keep up" in note]


def test_there_is_a_ratio_of_what_both_have() -> None:
    said = {"quiver mean p50 ms": 4.0, "(a) mean p50 ms": 8.0, "quiver peak p50 ms": 5.0}
    assert ratios(said) == {"quiver / (a), mean p50 ms": 0.5}
