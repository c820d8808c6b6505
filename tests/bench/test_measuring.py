"""What ends a measurement, and what is seen before it begins."""

import asyncio
import signal
import subprocess
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from copy import replace
from pathlib import Path
from typing import Any

import pytest

from bench.figures import Run
from bench.load.job import Job
from bench.load.tally import Sample, Tally
from bench.machine import built
from bench.measure import doubts, generate, run_of
from bench.measuring import measure
from bench.stack import NotReady, Stack, open_stack
from bench.suite import BENCHMARKS, check_large_enough, measure_all
from bench.usage import Usage
from bench.wish import Wish
from core.embedded.process import spawn, wait_until
from core.errors import InvalidInputError
from core.settings import Settings

WITHIN_S = 20.0


async def test_a_load_ends_when_it_is_interrupted(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[subprocess.Popen[bytes]] = []

    def spawned(*command: Any, **how: Any) -> subprocess.Popen[bytes]:
        begun.append(spawn(*command, **how))
        return begun[0]

    monkeypatch.setattr("bench.measure.spawn", spawned)
    job = Job(stack.url, "", stack.settings.redis_url or "", {})
    load = asyncio.create_task(generate(stack, job, "tests.bench.forever"))
    await asyncio.sleep(0)
    load.cancel()
    async with asyncio.timeout(WITHIN_S):
        with pytest.raises(asyncio.CancelledError):
            await load
    assert [process.returncode for process in begun] == [-signal.SIGKILL]


def test_a_server_that_ends_is_told_of(stack: Stack) -> None:
    with stack.running({"worker-1": ["-c", "raise SystemExit('no more')"]}):
        assert wait_until(lambda: bool(stack.ended()), WITHIN_S)
        assert stack.ended() == ["worker-1 ended with status 1: no more"]
    assert stack.ended() == []


@pytest.mark.parametrize(
    ("options", "told"),
    [("'--enable-optimizations' '--with-lto'", "optimised"), ("'--prefix=/x'", "not optimised")],
)
def test_how_the_interpreter_was_built_is_told(
    monkeypatch: pytest.MonkeyPatch, options: str, told: str
) -> None:
    monkeypatch.setattr(sysconfig, "get_config_var", {"CONFIG_ARGS": options}.get)
    assert built() == told


def test_a_field_is_large_enough_for_what_is_shot() -> None:
    wish = Wish(butts=139)
    with pytest.raises(InvalidInputError, match="--butts: .* takes 140 butts"):
        check_large_enough(["fanout"], wish)
    check_large_enough(["latency"], wish)
    check_large_enough(["fanout"], replace(wish, butts=140))


def test_where_nothing_can_be_written_nothing_is_measured(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="--json: nothing can be written there"):
        measure(Wish(), ["latency"], tmp_path / "none" / "figures.json", against=False)


def test_who_is_interrupted_is_left_no_empty_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.measuring.open_stack", _interrupt)
    before, new = tmp_path / "before.json", tmp_path / "new.json"
    before.write_text("{}")
    for file in (before, new):
        with pytest.raises(KeyboardInterrupt):
            measure(Wish(), ["latency"], file, against=False)
    assert before.read_text() == "{}" and not new.exists()


def _interrupt(_: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("name", ["none", "file"])
def test_a_place_that_cannot_be_taken_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("TMPDIR", str(tmp_path / name))
    with pytest.raises(NotReady, match=f"TMPDIR is .*{name}, where nothing can be written"):
        with open_stack(1):
            pass


def test_a_setting_that_makes_no_sense_is_told_before_anything_is_started(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bench.stack.EmbeddedStores", _interrupt)
    monkeypatch.setenv("PG_POOL_MAX", "abc")
    with pytest.raises(InvalidInputError, match="^PG_POOL_MAX: "):
        with open_stack(1):
            pass


async def test_a_load_of_nothing_does_not_count(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing(*_: object) -> tuple[int, int]:
        return 0, 0

    monkeypatch.setattr("bench.measure.stored", nothing)
    assert await doubts(stack, [], Tally()) == ["no arrow was due in that time"]


def test_each_part_of_growth_has_stores_in_which_nothing_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Stack] = []
    measured: list[tuple[str, Stack]] = []

    @contextmanager
    def opens(workers: int) -> Iterator[Stack]:
        opened.append(Stack(tmp_path, Settings(_env_file=None), workers, {}))
        yield opened[-1]

    async def fields(on: Stack, _: Wish) -> Run:
        measured.append(("fields", on))
        return Run({"one": 1.0})

    async def rows(on: Stack, _: Wish) -> Run:
        measured.append(("rows", on))
        return Run({"other": 2.0}, ["in doubt"])

    monkeypatch.setattr("bench.suite.open_stack", opens)
    monkeypatch.setattr(Stack, "served", nullcontext)
    growth = BENCHMARKS["growth"]
    assert [part.__name__ for part in growth.parts] == [
        "growth_of_fields",
        "growth_of_rows",
        "growth_of_sessions",
    ]
    monkeypatch.setitem(BENCHMARKS, "growth", replace(growth, parts=[fields, rows]))
    given = Stack(tmp_path, Settings(_env_file=None), 3, {})
    runs = dict(measure_all(given, Wish(runs=2), ["growth"]))["growth"]
    assert [run.doubts for run in runs] == [["in doubt"], ["in doubt"]]
    assert all({"one": 1.0, "other": 2.0}.items() <= run.figures.items() for run in runs)
    assert [what for what, _ in measured] == ["fields", "rows"] * 2
    assert [id(on) for _, on in measured] == [id(on) for on in opened]
    assert {on.workers for on in opened} == {3}


def test_what_was_sent_away_is_told() -> None:
    usage = {"load": Usage(0.0, 10.0)}
    tally = Tally(sent_away=2, samples=[Sample(0.0, usage), Sample(1.0, usage)])
    assert run_of({}, tally, []).notes == ["2 requests were sent away (429, 503), and sent again"]
