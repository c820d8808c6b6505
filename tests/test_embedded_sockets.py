"""The embedded servers' Unix sockets: used where they can be, in nobody's way where they cannot."""

import asyncio
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import pytest
from redis.exceptions import TimeoutError as SlowAnswer

from core import migrate, postgres, valkey
from core.embedded import EmbeddedStores, server
from core.embedded.postgres import PostgresServer
from core.embedded.process import end, free_port
from core.embedded.server import Server
from core.embedded.sockets import may_lie_at
from core.embedded.valkey import ValkeyServer
from core.packing import PackingSocketConnection
from core.settings import Settings
from core.valkey import open_valkey

WITHIN_S = 20.0
LONGEST = 107
KINDS = [PostgresServer, ValkeyServer]
LOST = (*postgres.LOST, *valkey.LOST)
NAMES = {PostgresServer: ".s.PGSQL.12345", ValkeyServer: "valkey.sock"}

type Makes = Callable[[type[Server], Path], Server]


@pytest.fixture(name="tmp_path")
def _tmp_path() -> Iterator[Path]:
    """A directory whose path is short, whatever the test is called: a socket has 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="q") as folder:
        # PostgreSQL is another user when we are root.
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture(name="make")
def _make(tmp_path: Path) -> Iterator[Makes]:
    """Starts servers, by their kind and directory."""
    started: list[Server] = []

    def start(kind: type[Server], directory: Path) -> Server:
        made = kind(directory, tmp_path / "log", "secret")
        started.append(made)
        made.start()
        return made

    yield start
    for each in started:
        each.stop()


async def is_over_socket(url: str) -> bool:
    """Whether the server at a URL, which has to answer, is reached over a Unix socket."""
    if url.startswith("postgresql:"):
        conn = await asyncpg.connect(url)
        address = await conn.fetchval("SELECT inet_server_addr()")
        await conn.close()
        return address is None
    async with open_valkey(Settings(redis_url=url), size=1) as client:
        await client.ping()
        return client.connection_pool.connection_class is PackingSocketConnection


@pytest.mark.parametrize("kind", KINDS)
async def test_a_server_is_reached_over_its_socket_and_also_on_its_port(
    kind: type[Server], make: Makes, tmp_path: Path
) -> None:
    made = make(kind, tmp_path / "data")
    assert [await is_over_socket(url) for url in (made.url, made.tcp_url)] == [True, False]


@pytest.mark.parametrize("length", [LONGEST, LONGEST + 1])
@pytest.mark.parametrize("kind", KINDS)
async def test_where_its_path_would_be_too_long_it_is_reached_on_its_port_alone(
    kind: type[Server],
    length: int,
    make: Makes,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(server, "free_port", _port_of_five_digits)
    name = "d" * (length - len(str(tmp_path / NAMES[kind])) - 1)
    made = make(kind, tmp_path / name)
    assert await is_over_socket(made.url) == (length <= LONGEST)
    assert (made.url == made.tcp_url) == (length > LONGEST)


def _port_of_five_digits() -> int:
    return next(port for port in iter(free_port, 0) if port > 9_999)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_comma_in_its_path_keeps_nobody_from_it(
    kind: type[Server], make: Makes, tmp_path: Path
) -> None:
    assert not await is_over_socket(make(kind, tmp_path / "one,other").url)


async def test_migrations_run_and_both_stores_answer_wherever_the_sockets_lie(
    tmp_path: Path,
) -> None:
    with EmbeddedStores(tmp_path / "a b%20;#?&+=é@:") as stores:
        assert stores.postgres is not None and stores.valkey is not None
        urls = [stores.postgres.url, stores.valkey.url]
        migrate.up(Settings(database_url=urls[0]))
        assert [await is_over_socket(url) for url in urls] == [True, True]


@pytest.mark.parametrize("kind", KINDS)
def test_nobody_but_its_owner_can_reach_a_socket(
    kind: type[Server], make: Makes, tmp_path: Path
) -> None:
    made = make(kind, tmp_path / "data")
    assert made.socket is not None and made.socket.is_socket()
    modes = [place.stat().st_mode & 0o077 for place in (made.socket, made.socket.parent)]
    assert modes == [0, 0]


@pytest.mark.parametrize("kind", KINDS)
async def test_a_killed_server_is_started_again_on_the_same_socket(
    kind: type[Server], make: Makes, tmp_path: Path
) -> None:
    made = make(kind, tmp_path / "data")
    url = made.url
    end(made.pid or 0, signal.SIGKILL, WITHIN_S)
    made.start_again()
    async with asyncio.timeout(WITHIN_S):
        while not await _answers(url):
            pass
    assert made.url == url


async def _answers(url: str) -> bool:
    try:
        return await is_over_socket(url)
    except LOST:
        return False


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_killed_server_left_does_not_pile_up(
    kind: type[Server], make: Makes, tmp_path: Path
) -> None:
    earlier = make(kind, tmp_path / "data")
    end(earlier.pid or 0, signal.SIGKILL, WITHIN_S)
    later = make(kind, tmp_path / "data")
    found = [place for place in (tmp_path / "data").iterdir() if place.is_socket()]
    assert found == [later.socket]
    assert not list((tmp_path / "data").glob(f".s.PGSQL.{earlier.port}*"))


@pytest.mark.parametrize("place", ["/proc/socket", "/nowhere/socket", "one,other", "one\nother"])
def test_a_socket_cannot_lie_where_the_system_or_a_url_cannot_have_it(
    place: str, tmp_path: Path
) -> None:
    assert not may_lie_at(tmp_path / place)


def test_a_look_whether_a_socket_may_lie_there_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "socket").touch()
    assert may_lie_at(tmp_path / "socket")
    assert not list(tmp_path.iterdir())


async def test_a_valkey_that_is_silent_from_the_first_is_no_lost_connection(tmp_path: Path) -> None:
    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(1_024):
            pass
        writer.close()

    path = tmp_path / "silent"
    url = f"unix://:secret@{path}?socket_timeout=0.1"
    async with (
        await asyncio.start_unix_server(say_nothing, path),
        open_valkey(Settings(redis_url=url), size=1) as client,
    ):
        with pytest.raises(SlowAnswer):
            await client.ping()
