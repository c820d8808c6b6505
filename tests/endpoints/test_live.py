"""Watching a session: what a viewer is sent, and who may be one."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from uuid import UUID, uuid4

import pytest
from redis.asyncio import Redis
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from core.feed import Feed, Frame, stream_key
from core.models.token import create_token, revoke_token
from core.postgres import Pool
from core.schema.token import Role
from core.settings import Settings
from tests.butts import Butts, add_shot, set_standing, set_up
from tests.serving import Served, receive, receive_many, serving, until, viewing


@pytest.fixture(name="served")
async def make_served(settings: Settings) -> AsyncIterator[Served]:
    """A server in this process."""
    async with serving(settings) as server:
        yield server


@pytest.fixture(name="butts")
async def make_butts(pool: Pool) -> Butts:
    """A session whose results are public."""
    async with pool.acquire() as conn:
        return await set_up(conn)


@pytest.fixture(name="feed")
def make_feed(valkey: Redis) -> Feed:
    """Where a worker would publish."""
    return Feed(valkey, length=10_000)


def frames(butts: Butts, *numbers: int, target_id: UUID | None = None) -> Sequence[Frame]:
    """Messages that carry their number."""
    return [Frame(butts.session_id, "shot.updated", {"n": each}, target_id) for each in numbers]


async def refusal(url: str, session_id: object, query: str = "", **said: str) -> tuple[int, object]:
    """The status and the body that come in place of the upgrade."""
    with pytest.raises(InvalidStatus) as refused:
        async with viewing(url, str(session_id), query, **said):
            pass
    response = refused.value.response
    return response.status_code, json.loads(response.body or b"")


async def test_the_first_frame_is_a_snapshot(served: Served, butts: Butts, pool: Pool) -> None:
    async with pool.acquire() as conn:
        await set_standing(conn, butts.slot_ids[2], total=19, arrows=2, tens=1)
        in_flight = await add_shot(conn, butts, 0, 60)
        await add_shot(conn, butts, 2, 30, score=9)
    async with viewing(served.url, butts.session_id) as viewer:
        frame = await receive(viewer)
    assert list(frame) == ["type", "ts", "request_id", "data"]
    assert (frame["type"], frame["request_id"]) == ("snapshot", None)
    data = frame["data"]
    assert data["session"]["id"] == str(butts.session_id)
    assert [row["total"] for row in data["leaderboard"]] == [19, 0, 0, 0]
    assert [shot["id"] for shot in data["shots"]] == [str(in_flight)]
    assert data["cursor"] == "0-0"


async def test_the_snapshot_of_one_target_has_only_its_arrows_in_the_air(
    served: Served, butts: Butts, pool: Pool
) -> None:
    async with pool.acquire() as conn:
        await add_shot(conn, butts, 0, 60)
        wanted = await add_shot(conn, butts, 2, 61)
    async with viewing(served.url, butts.session_id, f"?target_id={butts.target_ids[1]}") as viewer:
        data = (await receive(viewer))["data"]
    assert [shot["id"] for shot in data["shots"]] == [str(wanted)]


async def test_frames_come_in_the_order_of_their_cursors(
    served: Served, butts: Butts, feed: Feed
) -> None:
    async with viewing(served.url, butts.session_id) as viewer:
        await receive(viewer)
        await feed.publish(frames(butts, *range(50)))
        await feed.publish(frames(butts, *range(50, 100)))
        told = await receive_many(viewer, 100)
    assert [frame["data"]["n"] for frame in told] == list(range(100))
    cursors = [tuple(map(int, frame["data"]["cursor"].split("-"))) for frame in told]
    assert cursors == sorted(set(cursors))


async def test_the_request_that_caused_a_frame_is_named(
    served: Served, butts: Butts, feed: Feed
) -> None:
    request_id = uuid4()
    async with viewing(served.url, butts.session_id) as viewer:
        await receive(viewer)
        await feed.publish([Frame(butts.session_id, "session.closed", {}, request_id=request_id)])
        frame = await receive(viewer)
    assert (frame["type"], frame["request_id"]) == ("session.closed", str(request_id))


async def test_other_sessions_are_not_heard_of(
    served: Served, butts: Butts, feed: Feed, pool: Pool
) -> None:
    async with pool.acquire() as conn:
        other = await set_up(conn)
    async with viewing(served.url, butts.session_id) as viewer:
        await receive(viewer)
        await feed.publish([*frames(other, 1), *frames(butts, 2)])
        assert (await receive(viewer))["data"]["n"] == 2


async def test_other_targets_are_not_heard_of(served: Served, butts: Butts, feed: Feed) -> None:
    ours, other = butts.target_ids
    async with viewing(served.url, butts.session_id, f"?target_id={ours}") as viewer:
        await receive(viewer)
        await feed.publish(frames(butts, 1, target_id=other))
        await feed.publish([*frames(butts, 2, target_id=ours), *frames(butts, 3)])
        told = await receive_many(viewer, 2)
    assert [frame["data"]["n"] for frame in told] == [2, 3]


async def test_a_cursor_is_taken_up_without_gap_or_repeat(
    served: Served, butts: Butts, feed: Feed
) -> None:
    async with viewing(served.url, butts.session_id) as viewer:
        await receive(viewer)
        await feed.publish(frames(butts, *range(10)))
        told = await receive_many(viewer, 10)
    await feed.publish(frames(butts, *range(10, 1500)))
    since = told[4]["data"]["cursor"]
    async with viewing(served.url, butts.session_id, f"?since={since}") as viewer:
        await feed.publish(frames(butts, *range(1500, 1600)))
        told = await receive_many(viewer, 1595)
    assert [frame["data"]["n"] for frame in told] == list(range(5, 1600))


async def test_who_came_before_the_first_message_goes_on_from_there(
    served: Served, butts: Butts, feed: Feed
) -> None:
    async with viewing(served.url, butts.session_id) as viewer:
        since = (await receive(viewer))["data"]["cursor"]
    await feed.publish(frames(butts, *range(700)))
    async with viewing(served.url, butts.session_id, f"?since={since}") as viewer:
        told = await receive_many(viewer, 700)
    assert [frame["data"]["n"] for frame in told] == list(range(700))


async def test_who_came_before_the_first_message_begins_anew_when_it_has_left_the_buffer(
    served: Served, butts: Butts, valkey: Redis
) -> None:
    await Feed(valkey, length=10).publish(frames(butts, *range(700)))
    async with viewing(served.url, butts.session_id, "?since=0-0") as viewer:
        assert (await receive(viewer))["type"] == "snapshot"


async def next_millisecond(valkey: Redis) -> None:
    """Until messages get other ids than any that was there before."""

    async def now_ms() -> int:
        seconds, microseconds = await valkey.time()
        return int(seconds) * 1_000 + int(microseconds) // 1_000

    began = await now_ms()
    while await now_ms() == began:
        pass


@pytest.mark.parametrize("after", [0, 1])
async def test_who_came_before_the_first_message_begins_anew_when_the_buffer_did(
    served: Served, butts: Butts, feed: Feed, valkey: Redis, after: int
) -> None:
    await feed.publish(frames(butts, *range(5)))
    # Nothing was published for so long that the stream is gone.
    await valkey.delete(stream_key(butts.session_id))
    await next_millisecond(valkey)
    await feed.publish(frames(butts, *range(after)))
    async with viewing(served.url, butts.session_id, "?since=0-0") as viewer:
        assert (await receive(viewer))["type"] == "snapshot"


async def test_a_viewer_that_joins_amid_messages_misses_none(
    served: Served, butts: Butts, feed: Feed
) -> None:
    await feed.publish(frames(butts, 0))
    since = await feed.cursor(butts.session_id)

    async def publish() -> None:
        for number in range(1, 301):
            await feed.publish(frames(butts, number))

    async def watch() -> list[int]:
        async with viewing(served.url, butts.session_id, f"?since={since}") as viewer:
            return [frame["data"]["n"] for frame in await receive_many(viewer, 300)]

    _, *told = await asyncio.gather(publish(), *(watch() for _ in range(8)))
    assert told == [list(range(1, 301))] * 8


async def test_a_cursor_is_taken_up_for_one_target(
    served: Served, butts: Butts, feed: Feed
) -> None:
    ours, other = butts.target_ids
    await feed.publish(frames(butts, 0))
    since = await feed.cursor(butts.session_id)
    await feed.publish([*frames(butts, 1, target_id=other), *frames(butts, 2, target_id=ours)])
    query = f"?since={since}&target_id={ours}"
    async with viewing(served.url, butts.session_id, query) as viewer:
        assert (await receive(viewer))["data"]["n"] == 2


async def test_a_cursor_that_left_the_buffer_gets_a_snapshot(
    served: Served, butts: Butts, feed: Feed
) -> None:
    await feed.publish(frames(butts, 1))
    async with viewing(served.url, butts.session_id, "?since=1-0") as viewer:
        frame = await receive(viewer)
    assert frame["type"] == "snapshot"
    assert frame["data"]["cursor"] == await feed.cursor(butts.session_id)


async def test_a_cursor_from_the_future_gets_a_snapshot(served: Served, butts: Butts) -> None:
    query = f"?since={2**63}-0"
    async with viewing(served.url, butts.session_id, query) as viewer:
        assert (await receive(viewer))["type"] == "snapshot"


async def test_heartbeats_come_between_frames(settings: Settings, butts: Butts, feed: Feed) -> None:
    async with serving(settings.model_copy(update={"quiver_heartbeat_s": 0.05})) as served:
        async with viewing(served.url, butts.session_id) as viewer:
            told = await receive_many(viewer, 3)
            await feed.publish(frames(butts, 1))
            told += await receive_many(viewer, 1)
    beat = told[1]
    assert (beat["type"], beat["request_id"], beat["data"]) == ("heartbeat", None, {})


async def test_a_disconnect_is_noticed_at_once(served: Served, butts: Butts) -> None:
    async with viewing(served.url, butts.session_id) as viewer:
        await receive(viewer)
        assert served.hub.viewers == 1
    await until(lambda: served.hub.viewers == 0)


async def test_a_cut_connection_is_noticed_at_once(served: Served, butts: Butts) -> None:
    async with viewing(served.url, butts.session_id) as viewer:
        await receive(viewer)
        viewer.transport.abort()
        await until(lambda: served.hub.viewers == 0)


async def test_viewers_hold_no_database_connection(
    settings: Settings, butts: Butts, feed: Feed
) -> None:
    few = settings.model_copy(update={"pg_pool_min": 1, "pg_pool_max": 1})
    async with serving(few) as served:
        async with (
            viewing(served.url, butts.session_id) as first,
            viewing(served.url, butts.session_id) as second,
        ):
            await receive(first)
            await receive(second)
            await feed.publish(frames(butts, 1))
            assert [(await receive(each))["data"]["n"] for each in (first, second)] == [1, 1]


async def test_what_a_client_says_is_dropped(served: Served, butts: Butts, feed: Feed) -> None:
    async with viewing(served.url, butts.session_id) as viewer:
        await receive(viewer)
        for _ in range(20):
            await viewer.send("hello")
        await feed.publish(frames(butts, 1))
        assert (await receive(viewer))["data"]["n"] == 1


async def test_a_client_that_keeps_talking_is_closed(served: Served, butts: Butts) -> None:
    async with viewing(served.url, butts.session_id) as viewer:
        await receive(viewer)
        for _ in range(21):
            await viewer.send("hello")
        with pytest.raises(ConnectionClosed) as closed:
            await receive(viewer)
    assert closed.value.rcvd is not None and closed.value.rcvd.code == 1008


async def test_a_lost_subscription_leaves_no_gap(
    served: Served, butts: Butts, feed: Feed, valkey: Redis
) -> None:
    async with viewing(served.url, butts.session_id) as viewer:
        await receive(viewer)
        for number in range(0, 200, 20):
            await feed.publish(frames(butts, *range(number, number + 10)))
            await valkey.client_kill_filter(_type="pubsub")
            await feed.publish(frames(butts, *range(number + 10, number + 20)))
        told = await receive_many(viewer, 200)
    assert [frame["data"]["n"] for frame in told] == list(range(200))


async def test_a_process_subscribes_once_for_all_its_viewers(
    served: Served, butts: Butts, valkey: Redis
) -> None:
    async with (
        viewing(served.url, butts.session_id) as first,
        viewing(served.url, butts.session_id) as second,
    ):
        await receive(first)
        await receive(second)
        subscribed = await valkey.client_list(_type="pubsub")
    assert len(subscribed) == 1


async def test_a_message_that_is_not_ours_harms_nobody(
    served: Served, butts: Butts, feed: Feed, valkey: Redis
) -> None:
    async with viewing(served.url, butts.session_id) as viewer:
        await receive(viewer)
        for nonsense in ("", "nonsense", f"{butts.session_id} - x-y {{}}", b"\xff \xff \xff \xff"):
            await valkey.publish("quiver:feed", nonsense)
        await feed.publish(frames(butts, 1))
        assert (await receive(viewer))["data"]["n"] == 1


async def test_a_stopping_hub_closes_its_viewers(served: Served, butts: Butts) -> None:
    async with viewing(served.url, butts.session_id) as viewer:
        await receive(viewer)
        await served.hub.stop()
        with pytest.raises(ConnectionClosed) as closed:
            await receive(viewer)
    assert closed.value.rcvd is not None and closed.value.rcvd.code == 1001


async def test_a_token_is_taken_from_the_subprotocol(served: Served, pool: Pool) -> None:
    async with pool.acquire() as conn:
        hidden = await set_up(conn, results_public=False)
        token = (await create_token(conn, Role.VIEWER, "a screen")).token
    subprotocol = f"bearer.{token}"
    async with viewing(served.url, hidden.session_id, subprotocol=subprotocol) as viewer:
        assert (await receive(viewer))["type"] == "snapshot"
        assert viewer.subprotocol == subprotocol


@pytest.mark.parametrize("role", [Role.VIEWER, Role.JUDGE, Role.ADMIN])
async def test_hidden_results_are_shown_to_whoever_may_see_them(
    served: Served, pool: Pool, role: Role
) -> None:
    async with pool.acquire() as conn:
        hidden = await set_up(conn, results_public=False)
        token = (await create_token(conn, role, "somebody")).token
    async with viewing(served.url, hidden.session_id, token=token) as viewer:
        assert (await receive(viewer))["type"] == "snapshot"


async def test_hidden_results_need_a_token(served: Served, pool: Pool) -> None:
    async with pool.acquire() as conn:
        hidden = await set_up(conn, results_public=False)
    assert await refusal(served.url, hidden.session_id) == (
        401,
        {"code": 401, "data": None, "errors": ["Authorization: a bearer token is needed"]},
    )


async def test_hidden_results_need_the_role(served: Served, pool: Pool) -> None:
    async with pool.acquire() as conn:
        hidden = await set_up(conn, results_public=False)
        token = (await create_token(conn, Role.GATEWAY, "a hub")).token
    status, body = await refusal(served.url, hidden.session_id, token=token)
    assert (status, body) == (
        403,
        {
            "code": 403,
            "data": None,
            "errors": ["Authorization: the role gateway may not do this"],
        },
    )


async def test_a_revoked_token_is_refused_even_where_none_is_needed(
    served: Served, butts: Butts, pool: Pool
) -> None:
    async with pool.acquire() as conn:
        token = await create_token(conn, Role.VIEWER, "a screen")
        await revoke_token(conn, token.id)
    status, _ = await refusal(served.url, butts.session_id, token=token.token)
    assert status == 401


@pytest.mark.parametrize("session_id", [str(UUID(int=1)), "evening", "0"])
async def test_an_unknown_session_is_refused(served: Served, session_id: str) -> None:
    assert await refusal(served.url, session_id) == (
        404,
        {"code": 404, "data": None, "errors": [f"session {session_id}: not found"]},
    )


async def test_an_unknown_path_is_refused(served: Served) -> None:
    address = served.url.replace("http", "ws", 1)
    with pytest.raises(InvalidStatus) as refused:
        async with connect(f"{address}/api/v0/ws/nothing", proxy=None):
            pass
    response = refused.value.response
    assert response.status_code == 404
    errors = json.loads(response.body or b"")["errors"]
    assert errors == ["path /api/v0/ws/nothing: not found"]


@pytest.mark.parametrize(
    "since", ["", "x", "1", "1-", "-1", "1-0-0", "1.5-0", "%2B1-0", "%D9%A1-0", f"{2**64}-0"]
)
async def test_what_is_no_cursor_is_refused(served: Served, butts: Butts, since: str) -> None:
    status, body = await refusal(served.url, butts.session_id, f"?since={since}")
    assert (status, body) == (
        422,
        {
            "code": 422,
            "data": None,
            "errors": ["query.since: is not a cursor that this session's frames gave"],
        },
    )


async def test_what_is_no_target_is_refused(served: Served, butts: Butts) -> None:
    status, body = await refusal(served.url, butts.session_id, "?target_id=1")
    assert (status, body) == (
        422,
        {"code": 422, "data": None, "errors": ["query.target_id: must be a UUID"]},
    )
