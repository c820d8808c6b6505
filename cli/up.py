"""`quiver up`: everything on one machine."""

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from cli.access import first_token, passing_token
from cli.banner import banner
from cli.failing import told
from cli.machine import DEFAULT_WORKERS, Workers
from cli.processes import Child, GivenUp, Supervisor
from cli.readiness import check_port, is_ready
from cli.stopping import Stopping, end_with_uv
from cli.where import DEFAULT_DATA_DIR, DataDir, with_stores
from core import migrate
from core.embedded import EmbeddedStores
from core.settings import Settings, settings_given

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
    is_verbose: bool

    @property
    def url(self) -> str:
        """Where this machine reaches the API."""
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self.host, self.host)
        return f"http://{host}:{self.port}"


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("up")
    def run(
        host: Annotated[str, typer.Option(help="Address the API listens on")] = "127.0.0.1",
        port: Annotated[int, typer.Option(min=1, max=65535, help="Port it listens on")] = 8000,
        workers: Workers = DEFAULT_WORKERS,
        data_dir: DataDir = DEFAULT_DATA_DIR,
        demo: Annotated[bool, typer.Option("--demo", help="Add a simulated tournament")] = False,
        verbose: Annotated[
            bool, typer.Option("--verbose", help="Show the API's and workers' logs here")
        ] = False,
    ) -> None:
        """Run everything on this machine: PostgreSQL, Valkey, migrations, API and workers.

        With DATABASE_URL or REDIS_URL set, that store is used instead of an embedded one.
        """
        stopping = Stopping()
        end_with_uv()
        with told():
            up(Wish(host, port, workers, data_dir, demo, verbose), stopping)


def up(wish: Wish, stopping: Stopping) -> None:
    """Run everything until told to stop.

    Raises:
        QuiverError: Something does not start, or dies again and again.
        KeyboardInterrupt: Told to stop before everything was started.
    """
    check_port(wish.host, wish.port)
    settings = settings_given()
    stores = EmbeddedStores(
        wish.data_dir,
        postgres_wanted=settings.database_url is None,
        valkey_wanted=settings.redis_url is None,
    )
    with stores:
        settings = with_stores(settings, stores)
        migrate.up(settings)
        servers = [server for server in (stores.valkey, stores.postgres) if server is not None]
        supervisor = Supervisor(_children(wish, settings, stores), servers, _say)
        with ExitStack() as undo:
            undo.callback(supervisor.stop)
            supervisor.start()
            stopping.from_here_on_only_noted()
            if _came_up(wish, supervisor, stopping.event):
                token = first_token(settings)
                typer.echo(banner(wish.url, settings, stores, supervisor.children, token))
                _keep_up(wish, settings, supervisor, stopping.event)
            _say("stopping")


def _say(line: str) -> None:
    typer.echo(f"quiver: {line}", err=True)


def _children(wish: Wish, settings: Settings, stores: EmbeddedStores) -> list[Child]:
    environment = {
        **os.environ,
        "DATABASE_URL": settings.database_url or "",
        "REDIS_URL": settings.redis_url or "",
    }

    def child(name: str, *command: str) -> Child:
        log = None if wish.is_verbose else stores.log(name)
        program = [sys.executable, "-m", "cli.main", *command]
        return Child(name, program, environment, log, may_stop=command[0] == "worker")

    api = child("api", "api", "--host", wish.host, "--port", str(wish.port))
    return [api, *(child(f"worker-{number}", "worker") for number in range(1, wish.workers + 1))]


def _came_up(wish: Wish, supervisor: Supervisor, stop: threading.Event) -> bool:
    """Whether everything is ready; False: told to stop first.

    Raises:
        GivenUp: It does not come up.
    """
    until = time.monotonic() + READY_WITHIN_S
    while not stop.wait(LOOK_EVERY_S):
        supervisor.look()
        if is_ready(wish.url):
            return True
        if time.monotonic() > until:
            logs = wish.data_dir / "log"
            raise GivenUp(f"the API is not ready after {READY_WITHIN_S:g} s: see {logs}")
    return False


def _keep_up(wish: Wish, settings: Settings, supervisor: Supervisor, stop: threading.Event) -> None:
    with ExitStack() as undo:
        if wish.is_demo:
            undo.enter_context(_demo(wish, settings, stop))
        while not stop.wait(LOOK_EVERY_S):
            supervisor.look()


@contextmanager
def _demo(wish: Wish, settings: Settings, stop: threading.Event) -> Iterator[None]:
    """The simulated tournament, with an admin token of its own that ends with it."""
    # Only here: nobody else needs the simulators and the terminal's view.
    from cli.demo import run_demo

    with passing_token(settings, "demo") as token:
        demo = threading.Thread(target=run_demo, args=(wish.url, token, stop), daemon=True)
        demo.start()
        try:
            yield
        finally:
            stop.set()
            demo.join(1.0)
