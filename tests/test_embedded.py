"""The embedded stores: kept between starts, recovered after any death, never shared by accident."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as LostConnection

from core.embedded import EmbeddedStores, StoreFailed
from core.embedded.postgres import shared_mb
from core.embedded.process import is_alive, running, wait_until
from core.settings import Settings
from core.valkey import open_valkey

WITHIN_S = 20.0
HOLDER = """
import json, signal, sys
from pathlib import Path
from core.embedded import EmbeddedStores
with EmbeddedStores(Path(sys.argv[1])) as stores:
    postgres, valkey = stores.postgres, stores.valkey
    pids = [postgres.pid, valkey.pid]
    print(json.dumps([postgres.url, valkey.url, pids]), flush=True)
    signal.sigwait({signal.SIGTERM})
"""

NOTE_CREATE = "CREATE TABLE IF NOT EXISTS note (said text NOT NULL)"
NOTE_INSERT = "INSERT INTO note (said) VALUES ($1)"
NOTE_SELECT = "SELECT said FROM note"
DURABILITY_SELECT = "SELECT name, setting FROM pg_settings WHERE name = ANY($1)"


@dataclass(frozen=True, slots=True)
class Running:
    """Stores that run somewhere.

    Args:
        database_url: The PostgreSQL's.
        redis_url: The Valkey's.
        pids: The servers' processes.
        holder: The process that started them; None: this one.
    """

    database_url: str
    redis_url: str
    pids: list[int]
    holder: subprocess.Popen[str] | None = None

    async def write(self, text: str) -> None:
        """Leave a text in both."""
        conn = await asyncpg.connect(self.database_url)
        await conn.execute(NOTE_CREATE)
        await conn.execute(NOTE_INSERT, text)
        await conn.close()
        async with self._client() as client, client.pipeline() as pipe:
            pipe.rpush("note", text)
            await pipe.execute()

    async def read(self) -> list[tuple[str, str]]:
        """The texts that were left, as PostgreSQL and as Valkey has them."""
        conn = await asyncpg.connect(self.database_url)
        rows = [row["said"] for row in await conn.fetch(NOTE_SELECT)]
        await conn.close()
        async with self._client() as client, client.pipeline() as pipe:
            pipe.lrange("note", 0, -1)
            (found,) = await pipe.execute()
        entries = [entry.decode() for entry in found]
        return list(zip(rows, entries, strict=True))

    def _client(self) -> Redis:
        return open_valkey(Settings(redis_url=self.redis_url), size=1)

    def kill(self, *pids: int) -> None:
        """End processes without a warning, and wait until they are gone."""
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        if self.holder is not None and self.holder.pid in pids:
            self.holder.wait(WITHIN_S)
        assert wait_until(lambda: not any(map(is_alive, pids)), WITHIN_S)


def _opened(stores: EmbeddedStores) -> Running:
    """Stores that this process has started."""
    postgres, valkey = stores.postgres, stores.valkey
    assert postgres is not None and valkey is not None
    pids = [pid for pid in (postgres.pid, valkey.pid) if pid is not None]
    return Running(postgres.url, valkey.url, pids)


@pytest.fixture(name="directory")
def _directory(tmp_path: Path) -> Path:
    """A data directory that is not made yet."""
    return tmp_path / "data"


@pytest.fixture(name="held")
def _held(directory: Path) -> Iterator[Running]:
    """Stores that another process holds."""
    command = [sys.executable, "-c", HOLDER, str(directory)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        database_url, redis_url, pids = json.loads(holder.stdout.readline())
        yield Running(database_url, redis_url, pids, holder)
        if holder.poll() is None:
            holder.terminate()


@dataclass(frozen=True, slots=True)
class Shared:
    """Stores for the tests that only look at them.

    Args:
        directory: Their data directory.
        running: What runs there.
    """

    directory: Path
    running: Running


@pytest.fixture(name="shared", scope="module")
def _shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    """Stores of this process."""
    directory = tmp_path_factory.mktemp("shared") / "data"
    with EmbeddedStores(directory) as stores:
        yield Shared(directory, _opened(stores))


async def test_what_was_written_is_there_at_the_next_start(directory: Path) -> None:
    with EmbeddedStores(directory) as stores:
        await _opened(stores).write("first")
    with EmbeddedStores(directory) as stores:
        await _opened(stores).write("second")
        assert await _opened(stores).read() == [("first", "first"), ("second", "second")]


def test_no_process_outlives_a_stop(directory: Path) -> None:
    with EmbeddedStores(directory) as stores:
        pids = _opened(stores).pids
    assert not any(map(is_alive, pids))


@pytest.mark.parametrize("killed", ["the servers", "the holder", "all at once"])
async def test_after_kill_9_they_start_again_with_all_that_was_written(
    killed: str, held: Running, directory: Path
) -> None:
    assert held.holder is not None
    await held.write("before")
    held.kill(
        *(held.pids if killed != "the holder" else []),
        *([held.holder.pid] if killed != "the servers" else []),
    )
    if killed == "the servers":
        held.holder.terminate()
        held.holder.wait(WITHIN_S)
    with EmbeddedStores(directory) as stores:
        assert await _opened(stores).read() == [("before", "before")]


def test_the_servers_follow_a_holder_that_was_killed(held: Running) -> None:
    assert held.holder is not None
    held.kill(held.holder.pid)
    assert wait_until(lambda: not any(map(is_alive, held.pids)), WITHIN_S)


async def test_a_pid_file_that_names_a_stranger_by_now_is_no_obstacle(directory: Path) -> None:
    with EmbeddedStores(directory) as stores:
        await _opened(stores).write("before")
    stale = directory / "postgres" / "postmaster.pid"
    stale.write_text(f"{os.getpid()}\n{directory / 'postgres'}\n")
    with EmbeddedStores(directory) as stores:
        assert await _opened(stores).read() == [("before", "before")]


def test_a_start_that_was_cut_short_is_done_over(directory: Path) -> None:
    (directory / "postgres.new").mkdir(parents=True)
    (directory / "postgres.new" / "PG_VERSION").write_text("18")
    (directory / "initdb-password").write_text("left behind")
    with EmbeddedStores(directory) as stores:
        assert _opened(stores).pids
    assert not (directory / "initdb-password").exists()


async def test_two_run_side_by_side(tmp_path: Path) -> None:
    with EmbeddedStores(tmp_path / "one") as one, EmbeddedStores(tmp_path / "other") as other:
        await _opened(one).write("one")
        await _opened(other).write("other")
        assert await _opened(one).read() == [("one", "one")]


def test_a_directory_in_use_is_refused_by_name(held: Running, directory: Path) -> None:
    assert held.holder is not None
    with pytest.raises(StoreFailed) as caught:
        EmbeddedStores(directory).start()
    assert str(caught.value) == (
        f"{directory} is in use by process {held.holder.pid}: "
        "stop that one, or give another --data-dir"
    )


async def test_who_is_refused_a_directory_leaves_it_alone(held: Running, directory: Path) -> None:
    with pytest.raises(StoreFailed):
        EmbeddedStores(directory).start()
    await held.write("still there")
    assert await held.read() == [("still there", "still there")]


def test_a_directory_that_cannot_be_made_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreFailed, match="file/data cannot be used"):
        EmbeddedStores(tmp_path / "file" / "data").start()


def test_a_store_that_is_not_wanted_is_not_started(directory: Path) -> None:
    with EmbeddedStores(directory, postgres_wanted=False) as stores:
        assert stores.postgres is None
        assert not running("postgres", str(directory / "postgres"))


async def test_postgresql_has_on_disk_what_it_committed(shared: Shared) -> None:
    wanted = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
    conn = await asyncpg.connect(shared.running.database_url)
    rows = await conn.fetch(DURABILITY_SELECT, list(wanted))
    await conn.close()
    assert {row["name"]: row["setting"] for row in rows} == wanted


@pytest.mark.parametrize(
    ("name", "value"),
    [("appendonly", "yes"), ("appendfsync", "always"), ("maxmemory-policy", "noeviction")],
)
async def test_valkey_has_on_disk_what_it_acknowledged(
    name: str, value: str, shared: Shared
) -> None:
    async with open_valkey(Settings(redis_url=shared.running.redis_url), size=1) as client:
        assert await client.config_get(name) in ({name: value}, {name.encode(): value.encode()})


async def test_nobody_gets_into_postgresql_without_the_password(shared: Shared) -> None:
    _, where = shared.running.database_url.split("@")
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(f"postgresql://quiver:guessed@{where}")


async def test_nobody_gets_into_valkey_without_the_password(shared: Shared) -> None:
    scheme, _, rest = shared.running.redis_url.partition("://")
    url = f"{scheme}://{rest.partition('@')[2]}"
    async with Redis.from_url(url) as client:
        with pytest.raises(LostConnection, match="Authentication required"):
            await client.ping()


@pytest.mark.parametrize("name", ["passwords.json", "valkey/valkey.conf"])
def test_only_its_owner_can_read_a_password(name: str, shared: Shared) -> None:
    assert (shared.directory / name).stat().st_mode & 0o077 == 0


def test_no_password_shows_in_the_list_of_processes(shared: Shared) -> None:
    passwords = json.loads((shared.directory / "passwords.json").read_text()).values()
    shown = [Path(f"/proc/{pid}/cmdline").read_bytes() for pid in shared.running.pids]
    assert not [line for line in shown if any(word.encode() in line for word in passwords)]


GIB = 2**30


@pytest.mark.parametrize(
    ("memory", "limit", "shared"),
    [
        (64 * GIB, None, 1_024),
        (4 * GIB, None, 512),
        (512 * 2**20, None, 128),
        (64 * GIB, "max", 1_024),
        (64 * GIB, str(2 * GIB), 256),
        (2 * GIB, str(64 * GIB), 256),
    ],
)
def test_postgresql_keeps_as_much_as_the_memory_allows(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, memory: int, limit: str | None, shared: int
) -> None:
    pages = {"SC_PAGE_SIZE": 4_096, "SC_PHYS_PAGES": memory // 4_096}
    monkeypatch.setattr("core.embedded.postgres.os.sysconf", pages.__getitem__)
    said = tmp_path / "memory.max"
    monkeypatch.setattr("core.embedded.postgres.CONTAINER_LIMIT", said)
    if limit is not None:
        said.write_text(f"{limit}\n")
    assert shared_mb() == shared
