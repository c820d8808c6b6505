"""`quiver api`: one API process."""

from contextlib import suppress
from typing import Annotated

import typer

from cli.failing import told
from cli.where import DEFAULT_DATA_DIR, DataDir, settings_here
from core import log

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
        import uvicorn

        from api.main import create_app
        from api.server import Server

        with told():
            settings = settings_here(data_dir)
            log.configure(settings.quiver_log_level)
            config = uvicorn.Config(
                create_app(settings),
                host=host,
                port=port,
                http="httptools",
                loop="uvloop",
                ws="websockets-sansio",
                log_config=None,
                access_log=False,
                server_header=False,
                # Compression costs each viewer some 300 KB and every frame a turn of the processor.
                ws_per_message_deflate=False,
                timeout_graceful_shutdown=2,
            )
            server = Server(config)
            with suppress(KeyboardInterrupt):
                server.run()
        if not server.started:
            raise typer.Exit(NOT_STARTED)
