"""A worker that an operator has go ends what it is at, begins nothing more, and says what for."""

import asyncio
from collections.abc import Sequence

import pytest
from arq.worker import Function

from core.queue import QUEUE
from core.roster import Wish, ask, workers
from core.settings import Settings
from tests.workers.conftest import eventually
from workers import main
from workers.deps import Deps
from workers.runtime import task
from workers.worker import LastingWorker

usual_tasks, usual_drain = main.tasks, LastingWorker.drain


@pytest.mark.parametrize("wish", list(Wish))
async def test_what_is_under_way_ends_and_nothing_more_is_begun(
    deps: Deps, monkeypatch: pytest.MonkeyPatch, wish: Wish
) -> None:
    begun: list[str] = []
    ended: list[str] = []
    may_end, drains = asyncio.Event(), asyncio.Event()

    async def long(_: Deps, name: str) -> None:
        begun.append(name)
        await may_end.wait()
        ended.append(name)

    def with_long(settings: Settings) -> Sequence[Function]:
        return [*usual_tasks(settings), task(long, name="long", timeout_s=20)]

    async def drain(worker: LastingWorker, within_s: float) -> None:
        drains.set()
        await usual_drain(worker, within_s)

    async def is_at_it() -> bool:
        return begun == ["first"] and bool(await workers(deps.valkey))

    monkeypatch.setattr(main, "tasks", with_long)
    monkeypatch.setattr(LastingWorker, "drain", drain)
    await deps.queue.enqueue("long", "first", job_id="first")
    working = asyncio.create_task(main.work(deps.settings, asyncio.Event()))
    await eventually(is_at_it)
    (worker,) = await workers(deps.valkey)
    assert await ask(deps.valkey, worker["id"], wish)
    await asyncio.wait_for(drains.wait(), 10)
    await deps.queue.enqueue("long", "second", job_id="second")
    may_end.set()
    assert await asyncio.wait_for(working, 20) is wish
    assert (begun, ended) == (["first"], ["first"])
    assert await deps.valkey.zscore(QUEUE, "second") is not None
    assert not await workers(deps.valkey)
