"""Viewers of a server in a process of its own, which is killed, and whose Valkey is killed."""

import asyncio
import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from redis.asyncio import Redis

from core.embedded.process import end
from core.embedded.valkey import ValkeyServer
from core.feed import Feed, Frame
from core.postgres import Pool
from core.settings import Settings
from core.valkey import LOST, open_valkey
from tests.butts import Butts, set_up
from tests.serving import receive, receive_many, server_process, viewing


def frames(butts: Butts, numbers: range) -> Sequence[Frame]:
    """Messages that carry their number."""
    return [Frame(butts.session_id, "shot.updated", {"n": number}) for number in numbers]


async def test_a_viewer_goes_on_where_it_was_when_the_server_is_killed(
    settings: Settings, pool: Pool, valkey: Redis
) -> None:
    feed = Feed(valkey, length=10_000)
    async with pool.acquire() as conn:
        butts = await set_up(conn)
    with server_process(settings) as server:
        async with viewing(server.url, butts.session_id) as viewer:
            await receive(viewer)
            await feed.publish(frames(butts, range(10)))
            told = await receive_many(viewer, 10)
        server.end(signal.SIGKILL)
        await feed.publish(frames(butts, range(10, 20)))
        server.start()
        since = told[-1]["data"]["cursor"]
        async with viewing(server.url, butts.session_id, f"?since={since}") as viewer:
            await feed.publish(frames(butts, range(20, 30)))
            told += await receive_many(viewer, 20)
    assert [frame["data"]["n"] for frame in told] == list(range(30))


async def test_a_viewer_misses_nothing_when_valkey_is_killed(
    settings: Settings, pool: Pool, own_valkey: ValkeyServer
) -> None:
    own = settings.model_copy(update={"redis_url": own_valkey.url})
    client = open_valkey(own)
    feed = Feed(client, length=10_000)
    async with pool.acquire() as conn:
        butts = await set_up(conn)
    with server_process(own) as server:
        async with viewing(server.url, butts.session_id) as viewer:
            await receive(viewer)
            await feed.publish(frames(butts, range(10)))
            with killed_and_started_again(own_valkey):
                await answers(client)
                # The server may or may not have noticed yet: either way nothing may be missing.
                await feed.publish(frames(butts, range(10, 20)))
                told = await receive_many(viewer, 20)
                await feed.publish(frames(butts, range(20, 30)))
                told += await receive_many(viewer, 10)
    await client.aclose()
    assert [frame["data"]["n"] for frame in told] == list(range(30))


@pytest.fixture(name="own_valkey")
def make_own_valkey(tmp_path: Path) -> Iterator[ValkeyServer]:
    """A Valkey that only this test uses."""
    server = ValkeyServer(tmp_path / "valkey", tmp_path / "valkey.log", "only-for-this-test")
    server.start()
    yield server
    server.stop()


@contextmanager
def killed_and_started_again(server: ValkeyServer) -> Iterator[None]:
    """The same Valkey on the same port, after a kill that it could not prepare for."""
    assert server.pid is not None
    program = os.readlink(f"/proc/{server.pid}/exe")
    end(server.pid, signal.SIGKILL, 10)
    again = subprocess.Popen([program, server.directory / "valkey.conf"], stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        again.kill()
        again.wait()


async def answers(client: Redis) -> None:
    """Wait until Valkey takes commands."""
    async with asyncio.timeout(10):
        while True:
            try:
                await client.ping()
                return
            except LOST:
                await asyncio.sleep(0.01)
