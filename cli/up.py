"""`quiver up`: everything on one machine."""

import asyncio
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from urllib.error import URLError
from urllib.request import urlopen

import typer

from cli.failing import told
from cli.processes import Child, GivenUp, Supervisor
from cli.where import DEFAULT_DATA_DIR, DataDir, with_stores
from core import migrate
from core.embedded import EmbeddedStores, StoreFailed
from core.models.token import create_token, ensure_first_admin, revoke_token
from core.postgres import open_pool
from core.schema.token import Role, TokenCreated
from core.settings import Settings

LOOK_EVERY_S = 0.1
READY_WITHIN_S = 60.0


@dataclass(frozen=True, slots=True)
class Wish:
    """What `quiver up` was asked for."""

    host: str
    port: int
    workers: int
    data_dir: Path
    is_demo: bool

    @property
    def url(self) -> str:
        """Where this machine reaches the API."""
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::") else self.host
        return f"http://{host}:{self.port}"


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("up")
    def run(
        host: Annotated[str, typer.Option(help="Address the API listens on")] = "127.0.0.1",
        port: Annotated[int, typer.Option(min=1, max=65535, help="Port it listens on")] = 8000,
        workers: Annotated[int, typer.Option(min=1, max=64, help="Worker processes")] = 2,
        data_dir: DataDir = DEFAULT_DATA_DIR,
        demo: Annotated[bool, typer.Option("--demo", help="Add a simulated tournament")] = False,
    ) -> None:
        """Run everything on this machine: PostgreSQL, Valkey, migrations, API and workers.

        With DATABASE_URL or REDIS_URL set, that store is used instead of an embedded one.
        """
        stop = threading.Event()
        for signum in (signal.SIGINT, signal.SIGTERM):
            signal.signal(signum, lambda *_: stop.set())
        with told():
            up(Wish(host, port, workers, data_dir, demo), stop)


def up(wish: Wish, stop: threading.Event) -> None:
    """Run everything until told to stop.

    Raises:
        QuiverError: Something does not start, or dies again and again.
    """
    _check_port(wish.host, wish.port)
    settings = Settings()
    stores = EmbeddedStores(
        wish.data_dir,
        postgres_wanted=settings.database_url is None,
        valkey_wanted=settings.redis_url is None,
    )
    with stores:
        settings = with_stores(settings, stores)
        migrate.up(settings)
        first_token = asyncio.run(_first_token(settings))
        supervisor = Supervisor(_children(wish, settings, stores), _say)
        try:
            supervisor.start()
            if _wait_until_ready(wish, supervisor, stop):
                _banner(wish, stores, first_token)
                _keep_up(wish, settings, supervisor, stop)
        finally:
            supervisor.stop()


def _say(line: str) -> None:
    typer.echo(f"quiver: {line}", err=True)


def _check_port(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise StoreFailed(
                f"port {port} of {host} cannot be used ({error.strerror}): "
                "stop what listens there, or give another --port"
            ) from error


async def _first_token(settings: Settings) -> str | None:
    """An admin token on the first start, when the environment does not bring one."""
    if settings.quiver_admin_token is not None:
        return None
    async with await open_pool(settings, minimum=0, maximum=1) as pool, pool.acquire() as conn:
        return await ensure_first_admin(conn)


def _children(wish: Wish, settings: Settings, stores: EmbeddedStores) -> list[Child]:
    environment = {
        **os.environ,
        "DATABASE_URL": settings.database_url or "",
        "REDIS_URL": settings.redis_url or "",
    }
    quiver = [sys.executable, "-m", "cli.main"]
    listen = ["--host", wish.host, "--port", str(wish.port)]
    api = Child("api", [*quiver, "api", *listen], environment, stores.log("api"))
    names = [f"worker-{number}" for number in range(1, wish.workers + 1)]
    return [api, *(Child(n, [*quiver, "worker"], environment, stores.log(n)) for n in names)]


def _wait_until_ready(wish: Wish, supervisor: Supervisor, stop: threading.Event) -> bool:
    """Whether everything came up; False: we were told to stop first.

    Raises:
        GivenUp: It does not come up.
    """
    until = time.monotonic() + READY_WITHIN_S
    while not stop.wait(LOOK_EVERY_S):
        supervisor.look()
        if _is_ready(wish.url):
            return True
        if time.monotonic() > until:
            logs = wish.data_dir / "log"
            raise GivenUp(f"the API is not ready after {READY_WITHIN_S:g} s: see {logs}")
    return False


def _is_ready(url: str) -> bool:
    try:
        with urlopen(f"{url}/readyz", timeout=1) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


def _banner(wish: Wish, stores: EmbeddedStores, first_token: str | None) -> None:
    postgres = f"127.0.0.1:{stores.postgres.port}" if stores.postgres else "DATABASE_URL"
    valkey = f"127.0.0.1:{stores.valkey.port}" if stores.valkey else "REDIS_URL"
    lines = [
        "",
        f"Quiver is up at {wish.url}",
        f"  API docs     {wish.url}/api/docs",
        f"  PostgreSQL   {postgres}",
        f"  Valkey       {valkey}",
        f"  workers      {wish.workers}",
        f"  data, logs   {stores.directory}",
    ]
    if first_token is not None:
        lines += [
            "",
            f"  Admin token  {first_token}",
            "  It is shown this once and not kept: export QUIVER_TOKEN with it.",
        ]
    lines += ["", "Ctrl-C ends everything.", ""]
    typer.echo("\n".join(lines))


def _keep_up(
    wish: Wish, settings: Settings, supervisor: Supervisor, stop: threading.Event
) -> None:
    if not wish.is_demo:
        _look_until(stop.is_set, supervisor, stop)
        return
    # Only for the demo's own session; whoever wants a token of their own makes one.
    token = asyncio.run(_demo_token(settings))
    demo = _demo(wish.url, token.token, stop)
    demo.start()
    try:
        _look_until(stop.is_set, supervisor, stop)
    finally:
        stop.set()
        demo.join(1.0)
        asyncio.run(_revoke(settings, token))


def _look_until(done: Callable[[], bool], supervisor: Supervisor, stop: threading.Event) -> None:
    while not done():
        supervisor.look()
        stop.wait(LOOK_EVERY_S)


def _demo(url: str, token: str, stop: threading.Event) -> threading.Thread:
    from cli.demo import run_demo  # pylint: disable=import-outside-toplevel

    return threading.Thread(target=run_demo, args=(url, token, stop), daemon=True)


async def _demo_token(settings: Settings) -> TokenCreated:
    async with await open_pool(settings, minimum=0, maximum=1) as pool, pool.acquire() as conn:
        return await create_token(conn, Role.ADMIN, "demo")


async def _revoke(settings: Settings, token: TokenCreated) -> None:
    async with await open_pool(settings, minimum=0, maximum=1) as pool, pool.acquire() as conn:
        await revoke_token(conn, token.id)
