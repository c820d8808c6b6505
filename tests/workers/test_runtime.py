"""Tasks that fail: tried again, and written down before they are given up."""

import asyncio
import random
from contextlib import suppress
from uuid import uuid4

import asyncpg
import pytest
from arq.constants import retry_key_prefix
from arq.worker import Function, Retry
from redis.exceptions import ConnectionError as LostConnection

from core.errors import UnavailableError
from core.models.lossless import original_arguments
from tests.fields import Field
from workers import runtime
from workers.attempts import note_end, select_attempts
from workers.deps import Deps
from workers.runtime import Task, backoff_s, task


async def run(wrapped: Function, deps: Deps, tries: int, *arguments: str | int) -> None:
    """Run a task as the worker does."""
    await deps.valkey.set(f"{retry_key_prefix}the job", tries)
    ctx = {"deps": deps, "job_id": "the job", "job_try": tries, "score": 1_800_000_000_000}
    try:
        await wrapped.coroutine(ctx, *arguments, request_id="8f14e45f-ceea-467f-a8d4-1ab7f1d9cc34")
    except Retry:
        async with deps.valkey.pipeline() as pipe:
            note_end(pipe, "the job")
            await pipe.execute()
        raise


async def run_to_the_end(wrapped: Function, deps: Deps, *arguments: str | int) -> None:
    """Run a task as often as it wants to be tried again."""
    for tries in range(1, 10):
        with suppress(Retry):
            await run(wrapped, deps, tries, *arguments)
            return
    pytest.fail("it is never given up")


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
    await run_to_the_end(wrapped, deps, 1)
    await run_to_the_end(wrapped, deps, 2)
    async with deps.pool.acquire() as conn:
        rows = await conn.fetch("SELECT DISTINCT fingerprint FROM failed_job")
    assert len(rows) == 1


@pytest.mark.parametrize(
    "error",
    [LostConnection("gone"), UnavailableError("full", 1), ConnectionResetError(), TimeoutError()],
)
async def test_a_store_that_is_away_uses_up_no_tries(deps: Deps, error: Exception) -> None:
    with pytest.raises(Retry):
        await run(task(failing(error), name="fail", timeout_s=5), deps, 99)
    async with deps.pool.acquire() as conn:
        assert await conn.fetchval("SELECT count(*) FROM failed_job") == 0


async def test_a_database_that_does_not_answer_in_time_uses_up_no_tries(deps: Deps) -> None:
    async def look(_: Deps) -> None:
        """Ask the database something."""
        async with deps.pool.acquire() as conn:
            await conn.fetchval("SELECT pg_sleep(60)", timeout=0.01)

    for tries in (1, 2, 3, 4):
        with pytest.raises(Retry):
            await run(task(look, name="look", timeout_s=5), deps, tries)
    assert await select_attempts(deps.valkey, "the job") == []
    async with deps.pool.acquire() as conn:
        assert await conn.fetchval("SELECT count(*) FROM failed_job") == 0


async def test_a_task_that_takes_too_long_is_cut_off(deps: Deps) -> None:
    async def forever(_: Deps) -> None:
        """Never end."""
        await asyncio.Event().wait()

    await run_to_the_end(task(forever, name="forever", timeout_s=0.01), deps)
    async with deps.pool.acquire() as conn:
        error = await conn.fetchval("SELECT error FROM failed_job")
    assert error.startswith("OverTimeError: ")


async def test_tries_that_a_store_was_away_for_are_none_of_the_failures(deps: Deps) -> None:
    for tries in (1, 2, 3):
        with pytest.raises(Retry):
            await run(task(failing(LostConnection("gone")), name="fail", timeout_s=5), deps, tries)
    with pytest.raises(Retry):
        await run(task(failing(ValueError("no")), name="fail", timeout_s=5), deps, 4)
    (attempt,) = await select_attempts(deps.valkey, "the job")
    assert attempt.error == "ValueError: no"


async def test_a_task_that_will_not_be_stopped_is_left_alone(
    deps: Deps, monkeypatch: pytest.MonkeyPatch
) -> None:
    released = asyncio.Event()

    async def stubborn(_: Deps) -> None:
        """Go on whatever is said."""
        while not released.is_set():
            with suppress(asyncio.CancelledError):
                await released.wait()

    monkeypatch.setattr("workers.containment.GRACE_S", 0.05)
    await run_to_the_end(task(stubborn, name="stubborn", timeout_s=0.01), deps)
    released.set()
    async with deps.pool.acquire() as conn:
        error = await conn.fetchval("SELECT error FROM failed_job")
    assert error == "OverTimeError: it took over 0.01 s and would not be stopped"


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(3), GeneratorExit()])
async def test_a_task_cannot_end_the_worker(deps: Deps, error: BaseException) -> None:
    async def leave(_: Deps) -> None:
        """Want the process to end."""
        raise error

    await run_to_the_end(task(leave, name="leave", timeout_s=5), deps)
    async with deps.pool.acquire() as conn:
        row = await conn.fetchrow("SELECT error, attempts FROM failed_job")
    assert row is not None
    assert row["error"].startswith(f"EscapeError: it raised {type(error).__name__}(")
    assert "in leave" in row["attempts"][-1]["traceback"]


async def test_a_job_with_too_many_arguments_is_written_down(deps: Deps) -> None:
    async def narrow(_: Deps) -> None:
        """Take nothing."""

    await run_to_the_end(task(narrow, name="narrow", timeout_s=5), deps, 1, 2)
    async with deps.pool.acquire() as conn:
        error = await conn.fetchval("SELECT error FROM failed_job")
    assert error.startswith("TypeError: ")


class SilentError(Exception):
    """An error that cannot say what it is."""

    def __str__(self) -> str:
        raise RuntimeError("I will not say")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (SilentError(), "SilentError: <exception str() failed>"),
        (ValueError("a \x00 in \ud800"), "ValueError: a \\u0000 in \\ud800"),
    ],
)
async def test_an_error_that_cannot_be_stored_as_it_is_is_stored_all_the_same(
    deps: Deps, error: Exception, said: str
) -> None:
    await run_to_the_end(task(failing(error), name="fail", timeout_s=5), deps, "\x00")
    async with deps.pool.acquire() as conn:
        row = await conn.fetchrow("SELECT error, arguments FROM failed_job")
    assert row is not None
    assert row["error"] == said
    assert original_arguments(row["arguments"]) == {"arguments": ["\x00"]}


async def test_a_failure_that_cannot_be_written_down_now_is_tried_again(
    deps: Deps, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> None:
        raise asyncpg.CannotConnectNowError("starting up")

    wrapped = task(failing(ValueError("no")), name="fail", timeout_s=5)
    with pytest.raises(Retry):
        await run(wrapped, deps, 1)
    with monkeypatch.context() as patched:
        patched.setattr(runtime, "give_up", away)
        with pytest.raises(Retry):
            await run(wrapped, deps, 2)
    await run(wrapped, deps, 3)
    async with deps.pool.acquire() as conn:
        assert await conn.fetchval("SELECT count(*) FROM failed_job") == 1


async def test_a_try_whose_worker_died_is_kept_as_a_failed_one(deps: Deps) -> None:
    done: list[int] = []

    async def do(_: Deps) -> None:
        """Be done."""
        done.append(1)

    with pytest.raises(Retry):
        await run(task(failing(ValueError("no")), name="do", timeout_s=5), deps, 1)
    # The second was begun and never ended.
    await run(task(do, name="do", timeout_s=5), deps, 3)
    async with deps.pool.acquire() as conn:
        row = await conn.fetchrow("SELECT error, attempts FROM failed_job")
    assert row is not None and not done
    assert row["error"].startswith("WorkerDiedError: ")
    assert len(row["attempts"]) == 2


async def test_a_failure_says_which_target_and_session_it_is_about(
    deps: Deps, field: Field
) -> None:
    target_id, session_id = field.targets[1], field.session_id
    for name, named in (("score_shots", target_id), ("leaderboard", session_id)):
        await run_to_the_end(
            task(failing(ValueError("no")), name=name, timeout_s=5), deps, str(named)
        )
    async with deps.pool.acquire() as conn:
        rows = await conn.fetch("SELECT target_id, session_id FROM failed_job ORDER BY function")
    assert [tuple(row) for row in rows] == [(None, session_id), (target_id, session_id)]


async def test_a_failure_whose_arguments_name_nothing_is_about_nothing(deps: Deps) -> None:
    wrapped = task(failing(ValueError("no")), name="score_shots", timeout_s=5)
    await run_to_the_end(wrapped, deps, str(uuid4()))
    await run_to_the_end(wrapped, deps, "no id")
    async with deps.pool.acquire() as conn:
        rows = await conn.fetch("SELECT session_id FROM failed_job")
    assert [row["session_id"] for row in rows] == [None, None]


def test_the_pause_before_a_retry_doubles_and_is_bounded() -> None:
    class Longest(random.Random):
        """Chance that always takes the most."""

        def uniform(self, a: float, b: float) -> float:
            return max(a, b)

    pauses = [backoff_s(0.5, tries, Longest()) for tries in (1, 2, 3, 50)]
    assert pauses == [0.5, 1.0, 2.0, 30.0]
