"""`quiver worker`: one worker process."""

import typer
import uvloop

from cli.failing import told
from cli.where import DEFAULT_DATA_DIR, DataDir, settings_here
from core import log


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("worker")
    def run(data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
        """Run one worker process against DATABASE_URL and REDIS_URL."""
        # Only here: it takes two seconds, which no other command should wait for.
        from workers.main import until_signalled

        with told():
            settings = settings_here(data_dir)
            log.configure(settings.quiver_log_level)
            uvloop.run(until_signalled(settings))
