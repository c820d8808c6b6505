"""What a worker says of itself."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from uuid import uuid4

import pytest
from arq.worker import Function

from core.roster import workers
from core.settings import Settings
from tests.workers.conftest import eventually
from workers import main, reporting
from workers.attempts import select_attempts
from workers.deps import Deps
from workers.main import build_worker
from workers.reporting import Reporter
from workers.runtime import task

usual_tasks = main.tasks


async def fail(_: Deps, *__: object) -> None:
    """Fail."""
    raise ValueError("no")


def with_a_bad_one(settings: Settings) -> Sequence[Function]:
    """The usual tasks, one of which fails."""
    usual = [each for each in usual_tasks(settings) if each.name != "score_shots"]
    return [*usual, task(fail, name="score_shots", timeout_s=5)]


@pytest.fixture(name="reported")
async def _reported(deps: Deps, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Deps]:
    """The clients of a worker that works, and says often how it fares."""
    monkeypatch.setattr(main, "tasks", with_a_bad_one)
    monkeypatch.setattr(reporting, "REPORT_EVERY_S", 0.02)
    worker = build_worker(deps, handle_signals=False)
    working = asyncio.create_task(worker.async_run())
    reports = asyncio.create_task(Reporter(deps, worker).run())
    yield deps
    reports.cancel()
    await worker.finish()
    await asyncio.gather(working, reports, return_exceptions=True)


async def says(deps: Deps, name: str, least: int) -> int:
    """A count of the worker's, once it is that large."""
    found: list[int] = []

    async def is_there() -> bool:
        found[:] = [each[name] for each in await workers(deps.valkey)]
        return sum(found) >= least

    await eventually(is_there)
    return sum(found)


async def test_a_job_that_it_gave_up_counts_once_however_often_it_was_tried(
    reported: Deps,
) -> None:
    await reported.queue.enqueue("score_shots", str(uuid4()))
    assert await says(reported, "failed", 1) == 1


async def test_looks_at_a_task_that_only_others_know_count_as_nothing(reported: Deps) -> None:
    await reported.queue.enqueue("newer", job_id="newer")

    async def is_looked_at_often() -> bool:
        return len(await select_attempts(reported.valkey, "newer")) >= 3

    await eventually(is_looked_at_often)
    await reported.queue.enqueue("score_shots", str(uuid4()))
    assert await says(reported, "failed", 1) == 1
