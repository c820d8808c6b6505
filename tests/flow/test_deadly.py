"""Real worker processes that die over what they do: it is put aside, and everything else goes
on."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from core.gate import stream_key
from core.models.recompute import request_recompute
from core.postgres import Pool, Row
from core.queue import Queue, open_arq
from core.schema.inbox import encode
from core.settings import Settings
from tests.fields import put_up
from workers.main import TASKS, close_deps, open_deps
from workers.retry import retrying

# A minute of dying.
pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300)]

WITHIN_S = 60.0
FAILED_JOB_SELECT = "SELECT * FROM failed_job WHERE function = $1 AND state = $2"
# A butt where nobody hits: a landing there kills whoever works on it.
DEADLY_X = 666.0
PROGRAM = """
import asyncio, os, signal
from core.settings import Settings
from workers import drain, group, main, worker

worker.CLAIM_S, worker.RENEW_EVERY_S = 0.6, 0.1
do_batch = drain.do_batch

def die():
    os.kill(os.getpid(), signal.SIGKILL)

async def do_or_die(conn, deps, partitions, batch, as_of):
    if any(getattr(each, "x", None) == 666.0 for each in batch.accepted):
        die()
    if str(os.environ.get("DEADLY_TARGET")) in map(str, batch.spans):
        die()
    return await do_batch(conn, deps, partitions, batch, as_of)

async def deadly(deps, *_):
    die()

async def endless(deps, *_):
    while True:
        pass

drain.do_batch = group.do_batch = do_or_die
main.TASKS["deadly"] = deadly
main.TASKS["endless"] = endless
asyncio.run(main.until_signalled(Settings()))
"""


class Workers:
    """Worker processes that are started again when they die.

    Args:
        settings: Where the stores are.
        count: How many.
    """

    def __init__(self, settings: Settings, count: int) -> None:
        said = settings.model_dump(mode="json", exclude_none=True)
        self._environment = {**os.environ, **{name.upper(): str(v) for name, v in said.items()}}
        self._processes = [self._start() for _ in range(count)]
        self.deaths = 0

    def _start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", PROGRAM]
        return subprocess.Popen(command, env=self._environment, stdout=subprocess.DEVNULL)

    async def keep(self) -> None:
        """Start again whoever died, until cancelled."""
        while True:
            for place, process in enumerate(self._processes):
                if process.poll() is not None:
                    self.deaths += 1
                    self._processes[place] = self._start()
            await asyncio.sleep(0.05)

    def end(self) -> None:
        """Kill them all."""
        for process in self._processes:
            process.kill()
            process.wait()


@asynccontextmanager
async def kept(settings: Settings, count: int) -> AsyncIterator[Workers]:
    """So many workers, kept alive."""
    workers = Workers(settings, count)
    keeping = asyncio.create_task(workers.keep())
    try:
        yield workers
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        workers.end()


@pytest.fixture(name="quick")
def _quick(settings: Settings) -> Settings:
    return settings.model_copy(
        update={"quiver_job_tries": 2, "quiver_job_backoff_s": 0.01, "quiver_partitions": 1}
    )


@pytest.fixture(name="queue")
async def _queue(quick: Settings) -> AsyncIterator[Queue]:
    made = Queue(open_arq(quick))
    yield made
    await made.close()


async def failed(pool: Pool, function: str, state: str = "failed") -> list[Row]:
    """The failed jobs of a task in a state, once there are any."""
    async with asyncio.timeout(WITHIN_S):
        while True:
            async with pool.acquire() as conn:
                rows = await conn.fetch(FAILED_JOB_SELECT, function, state)
            if rows:
                return rows
            await asyncio.sleep(0.1)


async def labels(pool: Pool, count: int) -> list[str | None]:
    """What the shots are worth, once there are so many that landed."""
    async with asyncio.timeout(WITHIN_S):
        while True:
            async with pool.acquire() as conn:
                rows = await conn.fetch(
                    "SELECT label FROM shot WHERE status = 'landed' ORDER BY release_time"
                )
            if len(rows) >= count:
                return [row["label"] for row in rows]
            await asyncio.sleep(0.1)


async def test_a_job_that_workers_die_over_is_written_down_and_begun_no_more(
    quick: Settings, pool: Pool, queue: Queue
) -> None:
    await queue.enqueue("deadly", "a thing", job_id="killer")
    async with kept(quick, 2) as workers:
        (row,) = await failed(pool, "deadly")
        assert (row["function"], row["job_id"]) == ("deadly", "killer")
        assert row["arguments"] == {"arguments": ["a thing"]}
        assert [each["error"].partition(":")[0] for each in row["attempts"]] == [
            "WorkerDiedError"
        ] * 2
        assert workers.deaths == 2


async def test_a_task_that_never_lets_go_costs_its_worker_and_is_written_down(
    quick: Settings, pool: Pool, queue: Queue
) -> None:
    impatient = quick.model_copy(update={"quiver_job_timeout_s": 1.0})
    await queue.enqueue("endless", job_id="loop")
    async with kept(impatient, 1) as workers:
        (row,) = await failed(pool, "endless")
        assert len(row["attempts"]) == workers.deaths == 2


async def test_a_retry_of_what_workers_die_over_fails_in_the_same_row(
    quick: Settings, pool: Pool, queue: Queue
) -> None:
    await queue.enqueue("deadly", job_id="killer")
    async with kept(quick, 1):
        (row,) = await failed(pool, "deadly")
        async with pool.acquire() as conn:
            await conn.execute("UPDATE failed_job SET state = 'restarted', retries = 1")
        await queue.enqueue("retry", str(row["id"]), job_id=f"retry:{row['id']}")
        (again,) = await failed(pool, "deadly")
    assert (again["id"], len(again["attempts"])) == (row["id"], 4)


async def test_an_event_that_workers_die_over_is_put_aside_and_the_others_are_shots(
    quick: Settings, pool: Pool
) -> None:
    async with pool.acquire() as conn:
        field = await put_up(conn, lanes=2)
    deadly = field.landed(60.4, 1, x=DEADLY_X)
    said = [field.release(60), deadly]
    for at in range(10, 60, 10):
        said += [field.release(at), field.landed(at + 0.4)]
        said += [field.release(at, "2A"), field.landed(at + 0.4, 2)]
    client = open_arq(quick)
    for each in said:
        await client.xadd(stream_key(0), {"e": encode(each)})
    async with kept(quick, 1) as workers:
        assert await labels(pool, 10) == ["X"] * 10
        (row,) = await failed(pool, "read_entry")
        assert await client.xlen(stream_key(0)) == 0
        # What `quiver up` bears of a single worker.
        assert workers.deaths < 6
    assert str(deadly.event_id) in row["arguments"]["payload"]
    assert row["target_id"] == field.targets[1]
    assert row["error"].startswith("WorkerDiedError: ")
    await client.aclose()


async def test_a_target_that_workers_die_over_when_asked_is_set_apart(
    quick: Settings, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with pool.acquire() as conn:
        field = await put_up(conn, lanes=2)
        await request_recompute(conn, field.targets.values())
    deadly, innocent = field.targets[1], field.targets[2]
    monkeypatch.setenv("DEADLY_TARGET", str(deadly))
    client = open_arq(quick)
    for each in (field.release(60, "2A"), field.landed(60.4, 2)):
        await client.xadd(stream_key(0), {"e": encode(each)})
    async with kept(quick, 1):
        assert await labels(pool, 1) == ["X"]
        (mended,) = await failed(pool, "correlate_target", "mended")
        (row,) = await failed(pool, "correlate_target")
    assert (mended["target_id"], row["target_id"]) == (innocent, deadly)
    async with pool.acquire() as conn:
        assert await conn.fetchval("SELECT count(*) FROM recompute") == 0
    await client.aclose()


async def test_an_event_that_workers_died_over_becomes_its_shot_once_the_code_is_mended(
    quick: Settings, pool: Pool
) -> None:
    async with pool.acquire() as conn:
        field = await put_up(conn)
    client = open_arq(quick)
    for each in (field.release(60), field.landed(60.4, 1, x=DEADLY_X)):
        await client.xadd(stream_key(0), {"e": encode(each)})
    async with kept(quick, 1):
        (row,) = await failed(pool, "read_entry")
    async with pool.acquire() as conn:
        await conn.execute("UPDATE failed_job SET state = 'restarted'")
    deps = await open_deps(quick)
    await retrying(TASKS)(deps, str(row["id"]))
    await close_deps(deps)
    await client.aclose()
    assert len(await labels(pool, 1)) == 1
    assert [each["id"] for each in await failed(pool, "read_entry", "mended")] == [row["id"]]
