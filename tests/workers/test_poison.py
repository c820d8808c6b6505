"""Jobs that cannot be done, of every kind: each is kept for people to read, and the worker goes
on."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any

import pytest
from arq.constants import job_key_prefix, retry_key_prefix
from arq.utils import timestamp_ms
from arq.worker import Function

from core.gate import stream_key
from core.models.lossless import original_bytes
from core.postgres import Row
from core.queue import ATTEMPTS_PREFIX, QUEUE
from core.schema.inbox import encode
from core.settings import Settings
from tests.workers.conftest import Range, eventually
from workers import dropped, main
from workers.deps import Deps
from workers.drain import drain
from workers.main import build_worker
from workers.runtime import task

usual_tasks = main.tasks


async def raise_error(_: Deps, *__: object) -> None:
    """Fail."""
    raise ValueError("no")


async def leave(_: Deps) -> None:
    """Want the process to end."""
    raise SystemExit(1)


async def answer(_: Deps) -> Any:
    """Answer something that no queue can keep."""
    return object()


async def hang(_: Deps) -> None:
    """Never end."""
    await asyncio.Event().wait()


def poisonous(settings: Settings) -> Sequence[Function]:
    """The usual tasks, and some that are none too good."""
    return [
        *usual_tasks(settings),
        *(task(each, name=each.__name__, timeout_s=0.1) for each in (raise_error, leave, hang)),
        task(answer, name="answer", timeout_s=5),
    ]


@pytest.fixture(name="poisoned")
async def _poisoned(deps: Deps, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Deps]:
    """The clients of a worker that works and knows bad tasks."""
    monkeypatch.setattr(main, "tasks", poisonous)
    monkeypatch.setattr(dropped, "KNOWN_ELSEWHERE_FOR", timedelta(milliseconds=50))
    worker = build_worker(deps, handle_signals=False)
    working = asyncio.create_task(worker.async_run())
    yield deps
    assert not working.done()
    await worker.finish()
    await asyncio.gather(working, return_exceptions=True)


async def failures(deps: Deps, count: int = 1) -> list[Row]:
    """The failed jobs, once there are so many."""
    rows: list[Row] = []

    async def are_there() -> bool:
        async with deps.pool.acquire() as conn:
            rows[:] = await conn.fetch("SELECT * FROM failed_job ORDER BY created_at")
        return len(rows) >= count

    await eventually(are_there)
    return rows


async def put(deps: Deps, job_id: bytes | str, stored: bytes | None) -> None:
    """Put a job into the queue as it is."""
    name = job_id if isinstance(job_id, bytes) else job_id.encode()
    if stored is not None:
        await deps.valkey.set(job_key_prefix.encode() + name, stored)
    await deps.valkey.zadd(QUEUE, {name: timestamp_ms()})


async def is_alive(line: Range) -> None:
    """The worker does what it should, and nothing is left in the queue."""
    before = len(await line.shots())
    await line.deps.queue.wake(await line.put(line.field.release(10 + 100 * before)))

    async def does_its_work() -> bool:
        counts = await line.deps.queue.counts()
        return len(await line.shots()) == before + 1 and counts.due == 0

    await eventually(does_its_work)


@pytest.mark.parametrize(
    ("function", "said"),
    [
        ("raise_error", "ValueError: no"),
        ("leave", "EscapeError: it raised SystemExit(1)"),
        ("hang", "OverTimeError: it took over 0.1 s"),
    ],
)
async def test_a_task_that_fails_is_kept_with_every_try(
    poisoned: Deps, line: Range, function: str, said: str
) -> None:
    await poisoned.queue.enqueue(function, job_id="bad")
    (row,) = await failures(poisoned)
    assert (row["function"], row["job_id"], row["state"]) == (function, "bad", "failed")
    assert [each["error"].startswith(said) for each in row["attempts"]] == [True, True]
    assert all(f"in {function}" in each["traceback"] for each in row["attempts"])
    assert row["enqueued_at"] is not None
    await is_alive(line)


async def test_an_answer_that_cannot_be_kept_is_not_kept_and_the_job_is_done(
    poisoned: Deps, line: Range
) -> None:
    await poisoned.queue.enqueue("answer", job_id="strange")

    async def is_done() -> bool:
        return not await poisoned.valkey.exists(f"{job_key_prefix}strange")

    await eventually(is_done)
    await is_alive(line)
    async with poisoned.pool.acquire() as conn:
        assert await conn.fetchval("SELECT count(*) FROM failed_job") == 0


@pytest.mark.parametrize(
    "stored",
    [
        b"\x80\x04\x95 a pickle \xff",
        b"not json",
        b"[1, 2]",
        b'{"f": "correlate"}',
        b'{"f": 3, "a": [], "k": {}, "t": null, "et": 0}',
        b'{"f": "correlate", "a": 5, "k": {}, "t": null, "et": 0}',
        b'{"f": "correlate", "a": [], "k": {"ctx": 1}, "t": null, "et": 0}',
        b'{"f": "nul \x00"}',
    ],
)
async def test_a_job_that_cannot_be_read_is_kept_byte_by_byte(
    poisoned: Deps, line: Range, stored: bytes
) -> None:
    await put(poisoned, "unreadable", stored)
    (row,) = await failures(poisoned)
    assert (row["function"], row["job_id"]) == ("read_job", "unreadable")
    assert original_bytes(row["arguments"]) == stored
    assert isinstance(row["arguments"]["payload"], str)
    await is_alive(line)


async def test_a_job_with_an_unknown_task_is_tried_for_a_while_and_kept(
    poisoned: Deps, line: Range
) -> None:
    await poisoned.queue.enqueue("of tomorrow", "x", job_id="strange")
    (row,) = await failures(poisoned)
    assert (row["function"], row["arguments"]) == ("of tomorrow", {"arguments": ["x"]})
    assert row["error"] == "UnknownTaskError: no worker knows the task 'of tomorrow'"
    assert len(row["attempts"]) > 1
    await is_alive(line)


async def test_a_job_that_another_worker_knows_is_left_to_it(
    deps: Deps, working: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    del working
    seen = asyncio.Event()

    async def note(_: Deps) -> None:
        """Note it."""
        seen.set()

    await deps.queue.enqueue("new", job_id="new")

    async def was_tried() -> bool:
        return int(await deps.valkey.get(f"{retry_key_prefix}new") or 0) > 0

    await eventually(was_tried)
    new = [*usual_tasks(deps.settings), task(note, name="new", timeout_s=5)]
    monkeypatch.setattr(main, "tasks", lambda _: new)
    other = build_worker(deps, handle_signals=False)
    working_too = asyncio.create_task(other.async_run())
    await asyncio.wait_for(seen.wait(), 15)
    await other.finish()
    await asyncio.gather(working_too, return_exceptions=True)
    async with deps.pool.acquire() as conn:
        assert await conn.fetchval("SELECT count(*) FROM failed_job") == 0


async def test_a_job_of_which_nothing_is_left_is_kept_by_its_id(
    poisoned: Deps, line: Range
) -> None:
    await put(poisoned, "expired", None)
    (row,) = await failures(poisoned)
    assert (row["job_id"], row["function"]) == ("expired", "read_job")
    assert row["error"].startswith("LostJobError: nothing is left of the job")
    await is_alive(line)


async def test_a_job_whose_id_is_no_text_is_kept(poisoned: Deps, line: Range) -> None:
    await put(poisoned, b"\xff\xfe", b"{}")
    (row,) = await failures(poisoned)
    assert (row["job_id"], row["error"]) == (
        "\\xff\\xfe",
        "LostJobError: the job's id is no text",
    )
    await is_alive(line)


async def test_a_task_that_wants_out_in_the_middle_of_a_batch_fails_its_target_alone(
    line: Range, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def out(*_: object) -> None:
        raise SystemExit(1)

    monkeypatch.setattr("workers.batch.derive", out)
    await line.say(line.field.release(10))
    (row,) = await failures(line.deps)
    assert (row["function"], row["target_id"]) == ("correlate_target", line.field.targets[1])
    assert row["error"].startswith("EscapeError: it raised SystemExit(1)")


async def test_an_entry_of_the_inbox_is_kept_byte_by_byte(line: Range) -> None:
    payload = b"\xff\x00 not json"
    await line.deps.valkey.xadd(stream_key(3), {"e": payload})
    await drain(line.deps, 3)
    (row,) = await failures(line.deps)
    assert row["arguments"]["base64"] == base64.b64encode(payload).decode()
    assert original_bytes(row["arguments"]) == payload


async def test_an_entry_that_nobody_of_ours_made_is_kept(line: Range) -> None:
    await line.deps.valkey.xadd(stream_key(3), {"who": "knows", "what": "this is"})
    await drain(line.deps, 3)
    (row,) = await failures(line.deps)
    assert original_bytes(row["arguments"]) == b"who knows what this is"
    assert await line.deps.valkey.xlen(stream_key(3)) == 0


def job(arguments: str = "[3]", asked_ms: int = 1) -> bytes:
    """A job as the queue keeps it."""
    return f'{{"t":null,"f":"correlate","a":{arguments},"k":{{}},"et":{asked_ms}}}'.encode()


@pytest.mark.parametrize("asked_ms", [-1, 99_999_999_999_999_999])
async def test_a_job_that_was_asked_for_at_no_time_is_kept(
    poisoned: Deps, line: Range, asked_ms: int
) -> None:
    await put(poisoned, "bad", job(asked_ms=asked_ms))
    (row,) = await failures(poisoned)
    assert (row["function"], original_bytes(row["arguments"])) == (
        "read_job",
        job(asked_ms=asked_ms),
    )
    await is_alive(line)


async def test_arguments_that_are_nested_too_deep_are_kept(poisoned: Deps, line: Range) -> None:
    deep = job("[" * 900 + "]" * 900)
    await put(poisoned, "bad", deep)
    (row,) = await failures(poisoned)
    assert (row["function"], original_bytes(row["arguments"])) == ("read_job", deep)
    await is_alive(line)


@pytest.mark.parametrize("key", [job_key_prefix, retry_key_prefix])
async def test_what_stands_there_of_another_kind_is_kept_and_goes(
    poisoned: Deps, line: Range, key: str
) -> None:
    async with poisoned.valkey.pipeline() as pipe:
        pipe.hset(f"{key}bad", "a", "1")
        await pipe.execute()
    await put(poisoned, "bad", None if key == job_key_prefix else job())
    (row,) = await failures(poisoned)
    assert (row["function"], "WRONGTYPE" in row["error"]) == ("read_job", True)
    await is_alive(line)


async def test_a_count_that_is_no_number_is_kept_and_goes(poisoned: Deps, line: Range) -> None:
    await poisoned.valkey.set(f"{retry_key_prefix}bad", "abc")
    await put(poisoned, "bad", job())
    (row,) = await failures(poisoned)
    assert (row["function"], "not an integer" in row["error"]) == ("read_job", True)
    await is_alive(line)


async def test_tries_that_cannot_be_read_do_not_keep_a_job_from_its_end(
    poisoned: Deps, line: Range
) -> None:
    async with poisoned.valkey.pipeline() as pipe:
        pipe.rpush(f"{ATTEMPTS_PREFIX}bad", "not json", "[1]")
        await pipe.execute()
    await poisoned.queue.enqueue("raise_error", job_id="bad")
    (row,) = await failures(poisoned)
    assert [each["error"] for each in row["attempts"]] == ["ValueError: no"] * 2
    await is_alive(line)


@pytest.mark.parametrize("due", [0, float("-inf")])
async def test_a_job_that_is_due_at_no_time_is_done(
    poisoned: Deps, line: Range, due: float
) -> None:
    await put(poisoned, "odd", job())
    await poisoned.valkey.zadd(QUEUE, {"odd": due})
    assert (await poisoned.queue.counts()).oldest_due_ms in (0, None)

    async def is_done() -> bool:
        return await poisoned.valkey.zscore(QUEUE, "odd") is None

    await eventually(is_done)
    await is_alive(line)


@pytest.mark.parametrize(
    ("time", "why"),
    [("ts", "$.ts"), ("received_at", "$.received_at"), ("offset", "1970 and 2200")],
)
async def test_an_entry_of_no_time_that_there_is_is_kept_and_makes_no_shot(
    line: Range, time: str, why: str
) -> None:
    said = json.loads(encode(line.field.release(10))) | {time: 10**17}
    partition = line.deps.inbox.partition_of(line.field.targets[1])
    await line.deps.valkey.xadd(stream_key(partition), {"e": json.dumps(said)})
    await drain(line.deps, partition)
    (row,) = await failures(line.deps)
    assert (row["function"], why in row["error"]) == ("read_entry", True)
    assert await line.shots() == []
