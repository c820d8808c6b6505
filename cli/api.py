"""`quiver api`: one API process."""

from contextlib import suppress
from typing import Annotated

import typer

from cli.failing import told
from cli.where import DEFAULT_DATA_DIR, DataDir, settings_here
from core import garbage, log

NOT_STARTED = 3


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("api")
    def run(
        host: Annotated[str, typer.Option(help="Address to listen on")] = "127.0.0.1",
        port: Annotated[int, typer.Option(help="Port to listen on")] = 8000,
        data_dir: DataDir = DEFAULT_DATA_DIR,
    ) -> None:
        """Run one API process against DATABASE_URL and REDIS_URL."""
        # Only here: it takes a second, which no other command should wait for.
        from api.main import create_app
        from api.server import Server, config_of

        with told():
            settings = settings_here(data_dir)
            log.configure(settings.quiver_log_level)
            server = Server(config_of(create_app(settings), settings, host, port))
            garbage.settle(garbage.OF_API)
            with suppress(KeyboardInterrupt):
                server.run()
        if not server.started:
            raise typer.Exit(NOT_STARTED)
