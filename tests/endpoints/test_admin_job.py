"""Jobs as operators look for them and put them right, over HTTP."""

import asyncio
import json
import math
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from arq.constants import job_key_prefix
from httpx import AsyncClient
from redis.asyncio import Redis

from core.domain.values import EventType
from core.done_jobs import DoneJob, note_done
from core.models.failed_job import Failure, attempt, insert_failed_job
from core.postgres import Pool
from core.queue import ATTEMPTS_PREFIX, Queue, open_arq
from core.schema.inbox import AcceptedEvent, encode
from core.schema.token import Role
from core.settings import Settings
from tests.butts import set_up
from tests.endpoints.conftest import AsRole
from tests.resources import UNKNOWN, Json, data, failure
from workers.attempts import note_attempt

URL = "/api/v0/admin/job"
ACTION = "/api/v0/admin/action"
TRIED_AT = datetime(2026, 5, 1, 10, tzinfo=UTC)
IN_THE_YEAR_2201_MS = 7_300_000_000_000
LATEST = "2200-01-01T00:00:00.000Z"
CHANGES = ("retry", "discard", "restore", "purge")


@pytest.fixture(name="queue")
async def make_queue(settings: Settings) -> AsyncIterator[Queue]:
    """Where jobs are put."""
    made = Queue(open_arq(settings))
    yield made
    await made.close()


async def failed(pool: Pool, job_id: str = "score:1", **about: object) -> UUID:
    """A job that failed twice."""
    tries = [
        attempt(ValueError("no face"), at, at + timedelta(milliseconds=20))
        for at in (TRIED_AT, TRIED_AT + timedelta(seconds=1))
    ]
    said: Json = {"function": "score_shots", "arguments": {"arguments": ["1"]}, **about}
    async with pool.acquire() as conn:
        return await insert_failed_job(conn, Failure(job_id=job_id, attempts=tries, **said))


async def listed(client: AsyncClient, **wanted: object) -> list[str]:
    """The ids of the jobs that a list shows."""
    page = data(await client.get(URL, params={k: str(v) for k, v in wanted.items()}))
    return [job["id"] for job in page["items"]]


async def waiting(valkey: Redis) -> set[str]:
    """The ids of the jobs in the queue."""
    return {each.decode() for each in await valkey.zrange("arq:queue", 0, -1)}


async def test_a_failed_job_is_listed_with_its_last_error(client: AsyncClient, pool: Pool) -> None:
    job_id = await failed(pool)
    (job,) = data(await client.get(URL))["items"]
    assert job | {"fingerprint": "", "updated_at": ""} == {
        "id": str(job_id),
        "state": "failed",
        "function": "score_shots",
        "arguments": {"arguments": ["1"]},
        "session_id": None,
        "target_id": None,
        "request_id": None,
        "tries": 2,
        "error": "ValueError: no face",
        "fingerprint": "",
        "enqueued_at": None,
        "due_at": None,
        "failed_at": "2026-05-01T10:00:01.000Z",
        "duration_ms": 20.0,
        "updated_at": "",
    }


async def test_the_same_job_failing_again_is_one_row_with_all_its_attempts(
    client: AsyncClient, pool: Pool
) -> None:
    assert await failed(pool) == await failed(pool)
    (job,) = data(await client.get(URL))["items"]
    assert job["tries"] == 4


async def test_the_job_that_changed_last_comes_first_and_pages_go_on(
    client: AsyncClient, pool: Pool
) -> None:
    made = [str(await failed(pool, f"score:{n}")) for n in range(5)]
    first = data(await client.get(URL, params={"limit": 2}))
    then = data(await client.get(URL, params={"limit": 4, "cursor": first["next_cursor"]}))
    seen = [job["id"] for job in [*first["items"], *then["items"]]]
    assert (seen, then["next_cursor"]) == (made[::-1], None)


async def test_jobs_are_found_by_what_they_are_about(client: AsyncClient, pool: Pool) -> None:
    async with pool.acquire() as conn:
        place = await set_up(conn)
    target_id, session_id = place.target_ids[0], place.session_id
    there = await failed(pool, "score:there", target_id=target_id, arguments={"n": "Ünï 77"})
    await failed(pool, "read", function="read_entry")
    fingerprint = data(await client.get(f"{URL}/{there}"))["fingerprint"]
    now = datetime.now(UTC)
    finding: list[dict[str, object]] = [
        {"target_id": target_id},
        {"session_id": session_id},
        {"function": "score_shots"},
        {"fingerprint": fingerprint},
        {"q": "Ünï 77"},
        {"q": "NO Face", "function": "score_shots"},
        {"since": (now - timedelta(minutes=1)).isoformat(), "target_id": target_id},
    ]
    for wanted in finding:
        assert await listed(client, **wanted) == [str(there)], wanted
    missing: list[dict[str, object]] = [
        {"state": "discarded"},
        {"target_id": UNKNOWN},
        {"q": "100%"},
        {"until": (now - timedelta(minutes=1)).isoformat()},
    ]
    for wanted in missing:
        assert await listed(client, **wanted) == [], wanted


async def test_failures_of_one_kind_and_place_are_a_group(client: AsyncClient, pool: Pool) -> None:
    for number in range(3):
        await failed(pool, f"score:{number}")
    await failed(pool, "read", function="read_entry")
    groups = data(await client.get("/api/v0/admin/job_group"))
    assert [(each["function"], each["count"]) for each in groups] == [
        ("score_shots", 3),
        ("read_entry", 1),
    ]


async def test_a_job_shows_every_attempt_with_its_traceback(
    client: AsyncClient, pool: Pool
) -> None:
    job = data(await client.get(f"{URL}/{await failed(pool)}"))
    assert [(a["error"], a["duration_ms"]) for a in job["attempts"]] == [
        ("ValueError: no face", 20.0)
    ] * 2
    assert all("ValueError" in a["traceback"] for a in job["attempts"])


async def test_a_job_shows_the_events_that_only_it_has(client: AsyncClient, pool: Pool) -> None:
    event = AcceptedEvent(
        event_id=uuid4(),
        reader_id=uuid4(),
        type=EventType.RELEASE,
        ts=1_700_000_000_000_000,
        sent_at=None,
        received_at=1_700_000_000_000_000,
        arrow_id=None,
        x=None,
        y=None,
        sigma_mm=None,
        request_id=None,
    )
    unstored = [encode(event).decode(), "no event"]
    job_id = await failed(pool, function="correlate_target", arguments={"unstored": unstored})
    touched = data(await client.get(f"{URL}/{job_id}"))["events"]
    assert [each["event_id"] for each in touched] == [str(event.event_id)]


async def test_jobs_in_the_queue_are_listed_by_their_state(
    client: AsyncClient, queue: Queue, valkey: Redis
) -> None:
    await queue.enqueue("expire", 3, 4, job_id="later", defer_until=later())
    await queue.enqueue("correlate", 1, job_id="now")
    await queue.enqueue("score_shots", UNKNOWN, job_id="tried", defer_until=later())
    await queue.enqueue("correlate", 2, job_id="under way")
    await valkey.set("arq:retry:tried", 2)
    await valkey.set("arq:in-progress:under way", 1)
    states = ("queued", "running", "deferred", "retrying")
    assert [await listed(client, state=state) for state in states] == [
        ["now"],
        ["under way"],
        ["later"],
        ["tried"],
    ]
    job = data(await client.get(f"{URL}/tried"))
    assert (job["tries"], job["target_id"]) == (2, UNKNOWN)
    assert await listed(client, state="queued", function="expire") == []
    assert await listed(client, state="retrying", q="score") == []
    assert await listed(client, state="retrying", target_id=UNKNOWN) == ["tried"]


async def test_a_job_that_is_tried_again_says_what_it_failed_with_and_is_found_by_that(
    client: AsyncClient, queue: Queue, valkey: Redis
) -> None:
    for job_id in ("tried", "other"):
        await queue.enqueue("score_shots", UNKNOWN, job_id=job_id, defer_until=later())
        await valkey.set(f"arq:retry:{job_id}", 2)
    for error in (KeyError("first"), ValueError("no face")):
        await note_attempt(valkey, "tried", attempt(error, TRIED_AT, TRIED_AT))
    jobs = data(await client.get(URL, params={"state": "retrying"}))["items"]
    said = {"tried": "ValueError: no face", "other": None}
    assert {job["id"]: job["error"] for job in jobs} == said
    assert await listed(client, state="retrying", q="NO FACE") == ["tried"]
    assert await listed(client, state="retrying", q="first") == []
    assert data(await client.get(f"{URL}/tried"))["error"] == "ValueError: no face"


@pytest.mark.parametrize("stored", ["not json", "{}"])
async def test_tries_that_cannot_be_read_keep_no_job_from_the_list(
    client: AsyncClient, queue: Queue, valkey: Redis, stored: str
) -> None:
    await queue.enqueue("score_shots", UNKNOWN, job_id="tried", defer_until=later())
    await valkey.set("arq:retry:tried", 2)
    async with valkey.pipeline() as pipe:
        pipe.rpush(f"{ATTEMPTS_PREFIX}tried", stored)
        await pipe.execute()
    (job,) = data(await client.get(URL, params={"state": "retrying"}))["items"]
    assert (job["id"], job["error"]) == ("tried", None)


async def test_what_cannot_be_read_in_the_queue_is_listed_all_the_same(
    client: AsyncClient, valkey: Redis
) -> None:
    for number, stored in enumerate([b"\xff\xfe", b"[1]", b'{"f":1,"a":2,"k":3,"t":4,"et":"x"}']):
        await valkey.zadd("arq:queue", {f"odd {number}": 1})
        await valkey.set(f"{job_key_prefix}odd {number}", stored)
    await valkey.zadd("arq:queue", {"without a payload": 1})
    page = data(await client.get(URL, params={"state": "queued"}))
    assert {job["function"] for job in page["items"]} == {"unreadable"}
    assert len(page["items"]) == 4


async def put_as_it_is(valkey: Redis, job_id: str, due: float, asked_ms: int) -> None:
    """A job that none of ours made."""
    job: Json = {"t": None, "f": "expire", "a": [], "k": {}, "et": asked_ms}
    await valkey.set(f"{job_key_prefix}{job_id}", json.dumps(job))
    await valkey.zadd("arq:queue", {job_id: due})


@pytest.mark.parametrize("due", [math.inf, 1_800_000_000_000_000.0])
async def test_a_job_that_is_due_in_thousands_of_years_is_shown_and_cancelled(
    client: AsyncClient, valkey: Redis, due: float
) -> None:
    await put_as_it_is(valkey, "far", due, IN_THE_YEAR_2201_MS)
    assert await listed(client, state="deferred") == ["far"]
    job = data(await client.get(f"{URL}/far"))
    assert (job["enqueued_at"], job["due_at"]) == (LATEST, LATEST)
    assert data(await client.post(f"{URL}/far/cancel"))["due_at"] == LATEST
    assert await waiting(valkey) == set()


async def test_a_job_that_is_due_in_thousands_of_years_is_done_now_when_wished(
    client: AsyncClient, valkey: Redis
) -> None:
    await put_as_it_is(valkey, "far", math.inf, 0)
    assert data(await client.post(f"{URL}/far/run"))["enqueued_at"] == "1970-01-01T00:00:00.000Z"
    assert await listed(client, state="queued") == ["far"]


async def test_a_job_asked_for_in_another_century_is_shown_while_it_is_tried_again(
    client: AsyncClient, valkey: Redis
) -> None:
    await put_as_it_is(valkey, "far", later().timestamp() * 1000, IN_THE_YEAR_2201_MS)
    await valkey.set("arq:retry:far", 1)
    (job,) = data(await client.get(URL, params={"state": "retrying"}))["items"]
    assert (job["id"], job["enqueued_at"]) == ("far", LATEST)


async def test_a_job_asked_for_in_another_century_is_shown_when_it_is_done(
    client: AsyncClient, valkey: Redis
) -> None:
    asked_at = datetime.fromtimestamp(IN_THE_YEAR_2201_MS / 1000, UTC)
    async with valkey.pipeline() as pipe:
        note_done(pipe, [DoneJob("far", "sweep", [], None, asked_at, TRIED_AT, 1.5, 1)])
        await pipe.execute()
    (job,) = data(await client.get(URL, params={"state": "done"}))["items"]
    assert (job["id"], job["enqueued_at"]) == ("far", LATEST)


async def test_a_job_asked_for_in_another_century_is_shown_and_discarded_when_it_failed(
    client: AsyncClient, pool: Pool
) -> None:
    asked_at = datetime.fromtimestamp(IN_THE_YEAR_2201_MS / 1000, UTC)
    job_id = await failed(pool, enqueued_at=asked_at)
    (job,) = data(await client.get(URL))["items"]
    assert (job["id"], job["enqueued_at"]) == (str(job_id), LATEST)
    assert data(await client.get(f"{URL}/{job_id}"))["enqueued_at"] == LATEST
    assert data(await client.post(f"{URL}/{job_id}/discard"))["state"] == "discarded"


async def test_jobs_that_were_done_are_listed_the_latest_first(
    client: AsyncClient, valkey: Redis
) -> None:
    async with valkey.pipeline() as pipe:
        note_done(pipe, [DoneJob(n, "relay", [], None, None, TRIED_AT, 1.5, 1) for n in "ab"])
        await pipe.execute()
    assert await listed(client, state="done") == ["b", "a"]


async def test_a_job_is_retried_once_however_often_and_by_however_many(
    client: AsyncClient, pool: Pool, valkey: Redis
) -> None:
    job_id = await failed(pool)
    asked = [client.post(f"{URL}/{job_id}/retry") for _ in range(8)]
    told = [data(each)["state"] for each in await asyncio.gather(*asked)]
    actions = data(await client.get(ACTION))["items"]
    assert (set(told), len(actions)) == ({"restarted"}, 1)
    assert await waiting(valkey) == {f"retry:{job_id}"}


async def test_a_job_is_discarded_and_restored(client: AsyncClient, pool: Pool) -> None:
    job_id = await failed(pool)
    for _ in range(2):
        assert data(await client.post(f"{URL}/{job_id}/discard"))["state"] == "discarded"
    for _ in range(2):
        assert data(await client.post(f"{URL}/{job_id}/restore"))["state"] == "failed"
    actions = data(await client.get(f"{URL}/{job_id}"))["actions"]
    assert [each["action"] for each in actions] == ["restore", "discard"]


async def test_what_is_discarded_must_be_restored_before_it_is_retried(
    client: AsyncClient, pool: Pool
) -> None:
    job_id = await failed(pool)
    data(await client.post(f"{URL}/{job_id}/discard"))
    assert failure(await client.post(f"{URL}/{job_id}/retry")) == (
        409,
        [f"job {job_id}: is discarded; retry takes one that is failed"],
    )


async def test_selected_jobs_are_retried_and_those_taken_before_are_not_counted(
    client: AsyncClient, pool: Pool, valkey: Redis
) -> None:
    made = [str(await failed(pool, f"score:{n}")) for n in range(3)]
    data(await client.post(f"{URL}/{made[0]}/retry"))
    told = data(await client.post(f"{URL}/retry", json={"ids": [*made, UNKNOWN]}))
    assert (told["changed"], set(told["ids"])) == (2, set(made[1:]))
    assert await waiting(valkey) == {f"retry:{each}" for each in made}


async def test_all_of_a_filter_are_retried_by_two_at_once_each_taken_once(
    client: AsyncClient, pool: Pool
) -> None:
    for number in range(60):
        await failed(pool, f"score:{number}")
    await failed(pool, "read", function="read_entry")
    wish = {"filter": {"function": "score_shots"}}
    asked = [client.post(f"{URL}/retry", json=wish) for _ in range(3)]
    told = [data(each)["changed"] for each in await asyncio.gather(*asked)]
    assert sum(told) == 60
    counted = [each["count"] for each in data(await client.get(ACTION))["items"]]
    assert sum(counted) == 60


async def test_what_is_purged_is_gone_and_only_what_was_discarded_is_purged(
    client: AsyncClient, pool: Pool
) -> None:
    made = [str(await failed(pool, f"score:{n}")) for n in range(2)]
    data(await client.post(f"{URL}/discard", json={"ids": made[:1]}))
    assert data(await client.post(f"{URL}/purge", json={"ids": made}))["changed"] == 1
    assert failure(await client.get(f"{URL}/{made[0]}"))[0] == 404
    assert await listed(client) == made[1:]


async def test_all_that_was_discarded_is_restored(client: AsyncClient, pool: Pool) -> None:
    made = {str(await failed(pool, f"score:{n}")) for n in range(2)}
    assert data(await client.post(f"{URL}/discard", json={"filter": {}}))["changed"] == 2
    assert data(await client.post(f"{URL}/restore", json={"filter": {}}))["changed"] == 2
    assert set(await listed(client)) == made


async def test_a_deferred_job_is_done_now_when_an_operator_wants_it(
    client: AsyncClient, queue: Queue
) -> None:
    await queue.enqueue("expire", 3, 4, job_id="later", defer_until=later())
    data(await client.post(f"{URL}/later/run"))
    assert await listed(client, state="queued") == ["later"]
    assert failure(await client.post(f"{URL}/later/run")) == (
        409,
        ["job later: is queued, not deferred"],
    )


async def test_a_deferred_job_is_cancelled(
    client: AsyncClient, queue: Queue, valkey: Redis
) -> None:
    await queue.enqueue("expire", 3, 4, job_id="later", defer_until=later())
    assert data(await client.post(f"{URL}/later/cancel"))["function"] == "expire"
    assert (await waiting(valkey), await valkey.exists("arq:job:later")) == (set(), 0)
    assert failure(await client.post(f"{URL}/later/cancel")) == (404, ["job later: not found"])
    action = data(await client.get(ACTION))["items"][0]
    assert (action["action"], action["subject"]) == ("cancel", "expire later")


async def test_a_job_that_runs_is_not_cancelled(
    client: AsyncClient, queue: Queue, valkey: Redis
) -> None:
    await queue.enqueue("correlate", 1, job_id="at it")
    await valkey.set("arq:in-progress:at it", 1)
    assert failure(await client.post(f"{URL}/at it/cancel"))[0] == 409
    assert data(await client.get(ACTION))["items"] == []


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({}, "body.ids: say either which ids, or a filter"),
        ({"ids": [UNKNOWN], "filter": {}}, "body.ids: say either which ids, or a filter"),
        ({"ids": ["x"]}, "body.ids.0: must be a UUID"),
        ({"filter": {"state": "done"}}, "body.filter.state: must be failed to retry"),
        ({"filter": {"colour": "red"}}, "body.filter.colour: is not a known field"),
    ],
)
async def test_a_choice_that_makes_no_sense_is_refused(
    client: AsyncClient, wish: Json, said: str
) -> None:
    assert failure(await client.post(f"{URL}/retry", json=wish)) == (422, [said])


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"state": "lost"}, "query.state"),
        ({"cursor": "x"}, "query.cursor"),
        ({"since": "yesterday"}, "query.since"),
        ({"limit": 0}, "query.limit"),
    ],
)
async def test_a_question_that_makes_no_sense_is_refused(
    client: AsyncClient, query: Json, field: str
) -> None:
    code, (said,) = failure(await client.get(URL, params=query))
    assert (code, said.partition(":")[0]) == (422, field)


@pytest.mark.parametrize("change", CHANGES)
async def test_a_job_that_is_not_there_is_not_found(client: AsyncClient, change: str) -> None:
    if change != "purge":
        assert failure(await client.post(f"{URL}/{UNKNOWN}/{change}"))[0] == 404
    assert data(await client.post(f"{URL}/{change}", json={"ids": [UNKNOWN]}))["changed"] == 0


@pytest.mark.parametrize("change", CHANGES)
async def test_viewers_see_jobs_and_change_none(as_role: AsRole, pool: Pool, change: str) -> None:
    job_id = await failed(pool)
    viewer = await as_role(Role.VIEWER)
    assert await listed(viewer) == [str(job_id)]
    refused = failure(await viewer.post(f"{URL}/{change}", json={"ids": [str(job_id)]}))
    assert refused[0] == 403
    assert await listed(viewer) == [str(job_id)]


@pytest.mark.parametrize("role", [Role.READER, Role.GATEWAY])
async def test_readers_and_gateways_see_no_jobs(as_role: AsRole, role: Role) -> None:
    client = await as_role(role)
    for url in (URL, f"{URL}/1", "/api/v0/admin/job_group", ACTION):
        assert failure(await client.get(url))[0] == 403


def later() -> datetime:
    """In an hour."""
    return datetime.now(UTC) + timedelta(hours=1)
