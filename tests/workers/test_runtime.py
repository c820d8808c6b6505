"""Tasks that fail: tried again, and written down before they are given up."""

import asyncio
import random

import pytest
from arq.worker import Function, Retry
from redis.exceptions import ConnectionError as LostConnection

from core.errors import UnavailableError
from workers.attempts import select_attempts
from workers.deps import Deps
from workers.runtime import Task, backoff_s, task


async def run(wrapped: Function, deps: Deps, tries: int, *arguments: str | int) -> None:
    """Run a task as arq does."""
    ctx = {"deps": deps, "job_id": "the job", "job_try": tries}
    await wrapped.coroutine(ctx, *arguments, request_id="8f14e45f-ceea-467f-a8d4-1ab7f1d9cc34")


def failing(error: Exception) -> Task:
    """A task that fails."""

    async def fail(_: Deps, *__: str | int) -> None:
        """Fail."""
        raise error

    return fail


async def test_a_task_gets_the_clients_and_the_jobs_arguments(deps: Deps) -> None:
    seen: list[object] = []

    async def note(*arguments: object) -> None:
        """Note the arguments."""
        seen.extend(arguments)

    await run(task(note, name="note", timeout_s=5), deps, 1, 3, "x")
    assert seen == [deps, 3, "x"]


async def test_a_failure_is_tried_again_later_and_remembered(deps: Deps) -> None:
    wrapped = task(failing(ValueError("no")), name="fail", timeout_s=5)
    with pytest.raises(Retry):
        await run(wrapped, deps, 1)
    (attempt,) = await select_attempts(deps.valkey, "the job")
    assert attempt.error == "ValueError: no"


async def test_the_last_try_is_written_down_with_all_before_it(deps: Deps) -> None:
    wrapped = task(failing(ValueError("no")), name="fail", timeout_s=5)
    with pytest.raises(Retry):
        await run(wrapped, deps, 1, 7)
    await run(wrapped, deps, 2, 7)
    async with deps.pool.acquire() as conn:
        row = await conn.fetchrow("SELECT * FROM failed_job")
    assert row is not None
    assert (row["function"], row["arguments"], row["state"]) == (
        "fail",
        {"arguments": [7]},
        "failed",
    )
    assert [each["error"] for each in row["attempts"]] == ["ValueError: no", "ValueError: no"]
    assert str(row["request_id"]) == "8f14e45f-ceea-467f-a8d4-1ab7f1d9cc34"
    assert await select_attempts(deps.valkey, "the job") == []


async def test_equal_failures_have_one_fingerprint(deps: Deps) -> None:
    wrapped = task(failing(ValueError("no")), name="fail", timeout_s=5)
    await run(wrapped, deps, 2, 1)
    await run(wrapped, deps, 2, 2)
    async with deps.pool.acquire() as conn:
        rows = await conn.fetch("SELECT DISTINCT fingerprint FROM failed_job")
    assert len(rows) == 1


@pytest.mark.parametrize(
    "error", [LostConnection("gone"), UnavailableError("full", 1), ConnectionResetError()]
)
async def test_a_store_that_is_away_uses_up_no_tries(deps: Deps, error: Exception) -> None:
    with pytest.raises(Retry):
        await run(task(failing(error), name="fail", timeout_s=5), deps, 99)
    async with deps.pool.acquire() as conn:
        assert await conn.fetchval("SELECT count(*) FROM failed_job") == 0


async def test_a_task_that_takes_too_long_is_cut_off(deps: Deps) -> None:
    async def forever(_: Deps) -> None:
        """Never end."""
        await asyncio.Event().wait()

    await run(task(forever, name="forever", timeout_s=0.01), deps, 2)
    async with deps.pool.acquire() as conn:
        error = await conn.fetchval("SELECT error FROM failed_job")
    assert error.startswith("TimeoutError")


def test_the_pause_before_a_retry_doubles_and_is_bounded() -> None:
    class Longest(random.Random):
        """Chance that always takes the most."""

        def uniform(self, a: float, b: float) -> float:
            return max(a, b)

    pauses = [backoff_s(0.5, tries, Longest()) for tries in (1, 2, 3, 50)]
    assert pauses == [0.5, 1.0, 2.0, 30.0]
