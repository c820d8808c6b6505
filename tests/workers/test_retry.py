"""Failed jobs that an operator wants tried again: mended, or failed once more in the same row."""

import asyncio
import json
from copy import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from arq.constants import job_key_prefix

from core.domain.values import Status
from core.errors import UnavailableError
from core.gate import stream_key
from core.models.admin_action import Action, insert_action
from core.models.failed_job import Failure, attempt, insert_failed_job
from core.models.recompute import request_recompute
from core.models.said import News
from core.models.target import TARGETS, change_target
from core.postgres import Row
from core.queue import open_arq
from core.queue_jobs import get_queued
from core.schema.inbox import encode
from core.schema.target import FaceWish, TargetUpdate
from core.settings import Settings
from tests.fields import put_up
from tests.workers.conftest import Range, eventually
from workers import isolation
from workers.deps import Deps
from workers.drain import drain
from workers.main import TASKS
from workers.retry import retrying
from workers.sweep import sweep

RESTART = """
UPDATE failed_job
SET state = 'restarted', retries = retries + 1, updated_at = now() - $1::interval
WHERE state = 'failed'
RETURNING id
"""
AGE = "UPDATE failed_job SET state = $1, updated_at = now() - $2::interval"

tasks = dict(TASKS)
retry = retrying(tasks)


async def failed(deps: Deps, function: str, *arguments: object, job_id: str = "a job") -> UUID:
    """A job that failed."""
    now = datetime.now(UTC)
    failure = Failure(
        job_id, function, {"arguments": list(arguments)}, [attempt(ValueError("once"), now, now)]
    )
    async with deps.pool.acquire() as conn:
        return await insert_failed_job(conn, failure)


async def restart(deps: Deps, ago: timedelta = timedelta(0)) -> UUID:
    """An operator wants the failed job tried again."""
    async with deps.pool.acquire() as conn:
        found: UUID = await conn.fetchval(RESTART, ago)
    return found


async def only_row(deps: Deps) -> Row:
    """The failed job."""
    async with deps.pool.acquire() as conn:
        (row,) = await conn.fetch("SELECT * FROM failed_job")
    return row


async def retry_all(deps: Deps) -> Row:
    """The failed job after it was tried again."""
    await retry(deps, str(await restart(deps)))
    return await only_row(deps)


def errors(row: Row) -> list[str]:
    """What its tries failed with, the oldest first."""
    return [each["error"] for each in row["attempts"]]


class Curse:
    """Makes a target's events fail in the worker until it is lifted."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, keeping: bool = True) -> None:
        self._patched = monkeypatch

        async def fail(*_: object) -> None:
            raise ZeroDivisionError("cursed")

        async def keep_clocks_alone(*said: object, **told: object) -> News:
            if not told:
                await fail(*said)
            return News([], [], [])

        monkeypatch.setattr("workers.batch.derive", fail)
        if not keeping:
            monkeypatch.setattr(isolation, "keep_unheard", keep_clocks_alone)
            monkeypatch.setattr("workers.batch.keep_said", fail)

    def lift(self) -> None:
        """It is mended."""
        self._patched.undo()


async def test_a_targets_shots_are_there_once_its_failure_was_mended(
    line: Range, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        curse = Curse(patched)
        await line.say(line.field.release(10), line.field.landed(10.4, x=3))
        assert await line.shots() == []
        curse.lift()
    row = await retry_all(line.deps)
    assert (row["state"], row["retries"], len(row["attempts"])) == ("mended", 1, 1)
    (known,) = await line.shots()
    assert (known.shot.status, known.shot.label) == (Status.LANDED, "X")
    told = [json.loads(frame.text)["type"] for frame in await line.frames()]
    assert [kind for kind in told if kind.startswith("shot.")] == ["shot.created", "shot.landed"]


async def test_events_that_could_not_be_stored_are_in_the_row_and_come_back(
    line: Range, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = [line.field.release(10), line.field.landed(10.4)]
    with monkeypatch.context() as patched:
        curse = Curse(patched, keeping=False)
        await line.say(said[0])
        await line.say(said[1])
        row = await only_row(line.deps)
        kept = {json.loads(each)["event_id"] for each in row["arguments"]["unstored"]}
        assert kept == {str(each.event_id) for each in said}
        curse.lift()
    row = await retry_all(line.deps)
    assert (row["state"], row["arguments"]["unstored"]) == ("mended", [])
    assert [known.shot.status for known in await line.shots()] == [Status.LANDED]


async def test_a_target_that_fails_again_is_the_same_failure_and_loses_nothing(
    line: Range, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        Curse(patched, keeping=False)
        await line.say(line.field.release(10))
        row = await retry_all(line.deps)
        assert (row["state"], row["retries"]) == ("failed", 1)
        assert errors(row) == ["ZeroDivisionError: cursed"] * 2
        assert all("Traceback" in each["traceback"] for each in row["attempts"])
        assert len(row["arguments"]["unstored"]) == 1
    row = await retry_all(line.deps)
    assert (row["state"], row["retries"]) == ("mended", 2)
    assert len(await line.shots()) == 1


async def test_kept_events_that_cannot_be_read_stay_in_the_row(line: Range) -> None:
    now, target_id = datetime.now(UTC), line.field.targets[1]
    good, bad = encode(line.field.release(10)).decode(), "{}"
    failure = Failure(
        f"correlate:{target_id}",
        "correlate_target",
        {"target_id": str(target_id), "unstored": [bad, good]},
        [attempt(ValueError("once"), now, now)],
        target_id=target_id,
    )
    async with line.deps.pool.acquire() as conn:
        await insert_failed_job(conn, failure)
    row = await retry_all(line.deps)
    assert (row["state"], row["arguments"]["unstored"]) == ("failed", [bad])
    assert errors(row)[-1] == "ValueError: 1 of its events cannot be read"
    assert len(await line.shots()) == 1


async def test_a_retry_is_told_under_the_operators_request(
    deps: Deps, working: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    del working
    async with deps.pool.acquire() as conn:
        line = Range(deps, await put_up(conn))
    with monkeypatch.context() as patched:
        Curse(patched)
        await line.say(line.field.release(10), line.field.landed(10.4))
    request_id, failed_id = uuid4(), await restart(deps)
    await deps.queue.enqueue("retry", str(failed_id), request_id=request_id)

    async def shot() -> bool:
        return len(await line.frames()) > 1

    await eventually(shot)
    frames = [json.loads(frame.text) for frame in await line.frames()]
    assert {f["request_id"] for f in frames if f["type"].startswith("shot.")} == {str(request_id)}


async def test_a_score_appears_once_the_face_is_put_right_and_the_failure_retried(
    deps: Deps, working: None
) -> None:
    del working
    async with deps.pool.acquire() as conn:
        line = Range(deps, await put_up(conn, faces=False))
    await line.deps.queue.wake(await line.put(line.field.release(10), line.field.landed(10.4)))

    async def has_failed() -> bool:
        async with deps.pool.acquire() as conn:
            return bool(await conn.fetchval("SELECT count(*) FROM failed_job"))

    await eventually(has_failed)
    row = await only_row(deps)
    assert (row["function"], row["target_id"], row["session_id"]) == (
        "score_shots",
        line.field.targets[1],
        line.field.session_id,
    )
    target_id = line.field.targets[1]
    async with deps.pool.acquire() as conn, conn.transaction():
        before = await TARGETS.one(conn, target_id)
        face = FaceWish(face_type="wa_122_full", x=0, y=0)
        await change_target(conn, before, TargetUpdate(faces=[face]))
    failed_id = await restart(deps)
    await deps.queue.enqueue("retry", str(failed_id), job_id=f"retry:{failed_id}")

    async def is_scored() -> bool:
        return [known.shot.score for known in await line.shots()] == [10]

    await eventually(is_scored)
    assert (await only_row(deps))["state"] == "mended"


async def test_a_task_that_fails_again_fails_with_every_try_kept(deps: Deps) -> None:
    await failed(deps, "score_shots", "no id")
    row = await retry_all(deps)
    assert (row["state"], row["retries"]) == ("failed", 1)
    assert errors(row) == ["ValueError: once", "ValueError: badly formed hexadecimal UUID string"]
    assert row["error"] == errors(row)[-1]
    assert "score_shots" in row["attempts"][-1]["traceback"]


async def test_an_unknown_task_fails_again_and_says_so(deps: Deps) -> None:
    await failed(deps, "of yesterday", 1)
    row = await retry_all(deps)
    assert (row["state"], row["error"]) == (
        "failed",
        "UnknownTaskError: no worker knows the task 'of yesterday'",
    )


async def test_an_entry_that_can_be_read_now_becomes_its_shot(line: Range) -> None:
    payload = encode(line.field.release(10))
    await line.deps.valkey.xadd(stream_key(3), {"e": payload[:-1] + b"\xff"})
    await drain(line.deps, 3)
    row = await retry_all(line.deps)
    assert (row["state"], len(row["attempts"])) == ("failed", 2)
    async with line.deps.pool.acquire() as conn:
        mended = {"entry": "1-1", "payload": payload.decode()}
        await conn.execute("UPDATE failed_job SET arguments = $1", mended)
    row = await retry_all(line.deps)
    assert row["state"] == "mended"
    assert len(await line.shots()) == 1


async def test_a_job_that_can_be_read_now_is_done(line: Range) -> None:
    await line.put(line.field.release(10))
    partition = line.deps.inbox.partition_of(line.field.targets[1])
    job: dict[str, object] = {"f": "correlate", "a": [partition], "k": {}, "t": None, "et": 0}
    failed_id = await failed(line.deps, "read_job")
    async with line.deps.pool.acquire() as conn:
        arguments = {"payload": json.dumps(job)}
        await conn.execute("UPDATE failed_job SET arguments = $1", arguments)
    row = await retry_all(line.deps)
    assert (row["id"], row["state"]) == (failed_id, "mended")
    assert len(await line.shots()) == 1


@pytest.mark.parametrize("state", ["failed", "discarded", "mended"])
async def test_what_no_operator_wants_tried_again_is_left_alone(deps: Deps, state: str) -> None:
    failed_id = await failed(deps, "score_shots", "no id")
    async with deps.pool.acquire() as conn:
        await conn.execute(AGE, state, timedelta(0))
    await retry(deps, str(failed_id))
    row = await only_row(deps)
    assert (row["state"], len(row["attempts"])) == (state, 1)


async def test_a_failed_job_that_is_gone_is_none_of_our_business(deps: Deps) -> None:
    await retry(deps, str(uuid4()))


@pytest.mark.parametrize("error", [UnavailableError("the inbox is full", 1), TimeoutError()])
async def test_a_store_that_is_away_puts_a_retry_off(
    deps: Deps, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    async def away(*_: object) -> None:
        raise error

    await failed(deps, "leaderboard", str(uuid4()))
    failed_id = await restart(deps)
    with monkeypatch.context() as patched, pytest.raises(type(error)):
        patched.setitem(tasks, "leaderboard", away)
        await retry(deps, str(failed_id))
    assert (await only_row(deps))["state"] == "restarted"


async def test_a_retry_that_takes_too_long_fails_again(
    deps: Deps, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang(*_: object) -> None:
        await asyncio.Event().wait()

    await failed(deps, "leaderboard", str(uuid4()))
    with monkeypatch.context() as patched:
        patched.setitem(tasks, "leaderboard", hang)
        quick = deps.settings.model_copy(update={"quiver_job_timeout_s": 0.05})
        row = await retry_all(replace(deps, settings=quick))
    assert (row["state"], row["error"]) == ("failed", "OverTimeError: it took over 0.05 s")


async def test_two_retries_at_once_do_it_once(line: Range, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        Curse(patched)
        await line.say(line.field.release(10))
    failed_id = str(await restart(line.deps))
    await asyncio.gather(retry(line.deps, failed_id), retry(line.deps, failed_id))
    assert (await only_row(line.deps))["state"] == "mended"
    assert len(await line.shots()) == 1


async def test_a_retry_whose_job_was_lost_is_asked_for_again_under_its_request(
    deps: Deps, settings: Settings
) -> None:
    await failed(deps, "leaderboard", str(uuid4()))
    failed_id = await restart(deps, ago=timedelta(seconds=6))
    action = Action(None, "retry", "a job", failed_job_ids=[failed_id], request_id=uuid4())
    async with deps.pool.acquire() as conn:
        await insert_action(conn, action)
    await sweep(deps)
    await sweep(deps)
    arq = open_arq(settings)
    job = await get_queued(arq, f"retry:{failed_id}")
    await arq.aclose()
    assert job is not None
    assert (job.function, str(job.request_id)) == ("retry", str(action.request_id))


async def test_a_retry_that_was_just_wished_is_not_asked_for_twice(deps: Deps) -> None:
    await failed(deps, "leaderboard", str(uuid4()))
    failed_id = await restart(deps, ago=timedelta(seconds=1))
    await sweep(deps)
    assert not await deps.valkey.exists(f"{job_key_prefix}retry:{failed_id}")


@pytest.mark.parametrize(
    ("state", "days", "is_kept"),
    [
        ("mended", 31, False),
        ("discarded", 31, False),
        ("mended", 29, True),
        ("failed", 400, True),
    ],
)
async def test_what_was_dealt_with_a_month_ago_is_forgotten(
    deps: Deps, state: str, days: int, is_kept: bool
) -> None:
    await failed(deps, "leaderboard", str(uuid4()))
    async with deps.pool.acquire() as conn:
        await conn.execute(AGE, state, timedelta(days=days))
        await sweep(deps)
        assert bool(await conn.fetchval("SELECT count(*) FROM failed_job")) is is_kept


async def test_a_target_asked_for_by_a_sweep_and_by_a_retry_is_derived_once(
    line: Range, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        Curse(patched)
        await line.say(line.field.release(10))
    async with line.deps.pool.acquire() as conn, conn.transaction():
        await request_recompute(conn, [line.field.targets[1]])
    row = await retry_all(line.deps)
    assert row["state"] == "mended"
    # In flight, and unresolved: the butt's reader was never heard.
    assert [known.version for known in await line.shots()] == [2]
