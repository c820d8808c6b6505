"""The API behind a real uvicorn, in this process or in one of its own, and viewers of it."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.request import urlopen
from uuid import UUID

from fastapi import FastAPI
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from api.broadcast import Broadcast
from api.hub import Hub
from api.main import create_app, open_state
from api.metrics import Metrics
from api.server import Server, config_of
from core.settings import Settings

WITHIN_S = 10.0
PROGRAM = """
import os, uvicorn
from api.main import create_app
from api.server import Server, config_of
from core.settings import Settings
uvicorn.run(create_app(Settings()), host="127.0.0.1", port=int(os.environ["PORT"]), log_config=None)
"""

type Frame = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Served:
    """A server in this process.

    Args:
        url: Where it listens.
        hub: Its viewers.
        broadcast: The operators who watch.
    """

    url: str
    hub: Hub
    broadcast: Broadcast


@cache
def _app_with(limits: str) -> FastAPI:
    return create_app(Settings.model_validate_json(limits))


def shared_app(settings: Settings) -> FastAPI:
    """The API as all tests with these limits share it, for the stores of one of them: what its
    routes come to is worked out once."""
    app = _app_with(settings.model_dump_json(exclude={"database_url", "redis_url"}))
    app.router.lifespan_context = lambda _: open_state(settings, Metrics())
    # It remembers the event loop of the test before.
    app.middleware_stack = None
    return app


@asynccontextmanager
async def serving(settings: Settings, app: FastAPI | None = None) -> AsyncIterator[Served]:
    """The API on a port of its own, in this process, so that a test can look at its hub."""
    listener = socket.create_server(("127.0.0.1", 0))
    served = app or shared_app(settings)
    server = Server(config_of(served, settings, "127.0.0.1", 0))
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        await until(lambda: server.started or task.done())
        state = server.lifespan.state
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        yield Served(url, state["hub"], state["broadcast"])
    finally:
        server.should_exit = True
        await task


async def until(condition: Callable[[], bool]) -> None:
    """Wait for a condition, and fail when it does not come."""
    async with asyncio.timeout(WITHIN_S):
        while not condition():
            await asyncio.sleep(0.005)


@dataclass(slots=True)
class ServerProcess:
    """A server in a process of its own, which may be killed and started again on its port.

    Args:
        environment: Its settings.
        port: Where it listens.
    """

    environment: Mapping[str, str]
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        self.process = self._spawned()
        by = time.monotonic() + 3 * WITHIN_S
        while not self._answers():
            assert (
                self.process.poll() is None and time.monotonic() < by
            ), "the server does not start"

    def end(self, by: signal.Signals = signal.SIGKILL) -> None:
        """End it by this signal and wait for it."""
        if self.process is not None:
            self.process.send_signal(by)
            self.process.wait(WITHIN_S)
            self.process = None

    def _spawned(self) -> subprocess.Popen[bytes]:
        said = {**os.environ, **self.environment, "PORT": str(self.port)}
        return subprocess.Popen([sys.executable, "-c", PROGRAM], env=said)

    def _answers(self) -> bool:
        try:
            with urlopen(f"{self.url}/api/openapi.json", timeout=1) as answer:
                return bool(answer.status == 200)
        except OSError:
            time.sleep(0.02)
            return False


@contextmanager
def server_process(settings: Settings) -> Iterator[ServerProcess]:
    """A running server with these settings."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    said = settings.model_dump(mode="json", exclude_none=True)
    server = ServerProcess({name.upper(): str(value) for name, value in said.items()}, port)
    try:
        server.start()
        yield server
    finally:
        server.end()


@asynccontextmanager
async def viewing(
    url: str,
    session_id: UUID | str,
    query: str = "",
    *,
    token: str | None = None,
    subprotocol: str | None = None,
) -> AsyncIterator[ClientConnection]:
    """A viewer's connection."""
    address = f"{url.replace('http', 'ws', 1)}/api/v0/ws/session/{session_id}{query}"
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    offered = None if subprotocol is None else [Subprotocol(subprotocol)]
    async with connect(
        address, additional_headers=headers, subprotocols=offered, proxy=None
    ) as viewer:
        yield viewer


async def receive(viewer: ClientConnection) -> Frame:
    """The next frame."""
    async with asyncio.timeout(WITHIN_S):
        frame: Frame = json.loads(await viewer.recv())
        return frame


async def receive_many(viewer: ClientConnection, number: int) -> list[Frame]:
    """So many frames."""
    return [await receive(viewer) for _ in range(number)]
