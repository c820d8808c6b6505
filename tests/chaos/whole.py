"""A whole Quiver of real processes: stores, API and workers, kept running as `quiver up` does."""

import asyncio
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from cli.processes import Child, GivenUp, Kept, Supervisor
from cli.readiness import is_ready
from core import migrate
from core.embedded import EmbeddedStores
from core.embedded.process import free_port
from core.settings import Settings
from tests.chaos.tap import Tap
from tests.conftest import ADMIN_TOKEN

READY_WITHIN_S = 90.0
LOOK_EVERY_S = 0.05
# Small enough to be filled in a moment, and a feed that keeps all that viewers are to be asked for.
SMALL = {"QUIVER_INBOX_LIMIT": "400", "QUIVER_FEED_LENGTH": "500000", "QUIVER_JOB_TIMEOUT_S": "10"}


@dataclass(slots=True)
class Whole:
    """Everything that runs.

    Args:
        url: The API's.
        stores: The stores.
        children: API and workers, by name.
        taps: What runs between them, by the store's name.
        given_up: What died too often.
    """

    url: str
    stores: EmbeddedStores
    children: Mapping[str, Child]
    taps: Mapping[str, Tap]
    _stop: threading.Event = field(default_factory=threading.Event)
    given_up: list[GivenUp] = field(default_factory=list)

    @property
    def settings(self) -> Settings:
        """What leads to the stores without a tap."""
        assert self.stores.postgres is not None and self.stores.valkey is not None
        return Settings(database_url=self.stores.postgres.url, redis_url=self.stores.valkey.url)

    def send(self, name: str, signum: signal.Signals) -> None:
        """Send one of the children a signal."""
        process = self.children[name].process
        assert process is not None
        process.send_signal(signum)

    def kill_store(self, name: str, signum: signal.Signals) -> None:
        """Send a store a signal."""
        server = self.stores.valkey if name == "valkey" else self.stores.postgres
        assert server is not None and server.pid is not None
        os.kill(server.pid, signum)

    def watch(self) -> None:
        """Keep everything running, until told to stop."""
        servers: Sequence[Kept] = [s for s in (self.stores.valkey, self.stores.postgres) if s]
        supervisor = Supervisor(list(self.children.values()), servers, lambda _: None)
        supervisor.start()
        try:
            while not self._stop.wait(LOOK_EVERY_S):
                supervisor.look()
        except GivenUp as error:
            self.given_up.append(error)
        finally:
            supervisor.stop()

    def end(self) -> None:
        """Have the watch end."""
        self._stop.set()

    async def ready(self) -> None:
        """Wait until everything is up."""
        async with asyncio.timeout(READY_WITHIN_S):
            while not await asyncio.to_thread(is_ready, self.url):
                await asyncio.sleep(LOOK_EVERY_S)


@asynccontextmanager
async def whole(folder: Path) -> AsyncIterator[Whole]:
    """A whole Quiver in a folder; everything is ended in the end."""
    folder.chmod(0o755)
    with EmbeddedStores(folder) as stores:
        assert stores.postgres is not None
        migrate.up(Settings(database_url=stores.postgres.url))
        make = partial(quiver_children, stores, further=SMALL)
        async with kept_running(stores, make, free_port()) as made:
            yield made


@asynccontextmanager
async def kept_running(
    stores: EmbeddedStores, make: Callable[[Mapping[str, str], int], dict[str, Child]], port: int
) -> AsyncIterator[Whole]:
    """Processes that reach the stores through taps.

    Args:
        stores: They run already.
        make: Makes the processes from the stores' URLs and the API's port.
        port: Where the API listens.
    """
    assert stores.postgres is not None and stores.valkey is not None
    taps = {"postgres": Tap(stores.postgres.url), "valkey": Tap(stores.valkey.url)}
    urls = {name: await tap.open() for name, tap in taps.items()}
    made = Whole(f"http://127.0.0.1:{port}", stores, make(urls, port), taps)
    watching = asyncio.create_task(asyncio.to_thread(made.watch))
    try:
        await made.ready()
        yield made
    finally:
        made.end()
        await watching
        for tap in taps.values():
            await tap.close()
    assert not made.given_up


def quiver_children(
    stores: EmbeddedStores,
    urls: Mapping[str, str],
    port: int,
    further: Mapping[str, str] | None = None,
) -> dict[str, Child]:
    """An API and two workers."""
    said = {
        **os.environ,
        **(further or {}),
        "DATABASE_URL": urls["postgres"],
        "REDIS_URL": urls["valkey"],
        "QUIVER_ADMIN_TOKEN": ADMIN_TOKEN,
    }
    commands = {
        "api": ["api", "--port", str(port)],
        "worker-1": ["worker"],
        "worker-2": ["worker"],
    }
    return {
        name: Child(name, [sys.executable, "-m", "cli.main", *words], said, stores.log(name))
        for name, words in commands.items()
    }
