"""`quiver worker`: one worker process."""

import typer
import uvloop

from cli.failing import told
from cli.processes import START_AGAIN
from cli.where import DEFAULT_DATA_DIR, DataDir, settings_here
from core import garbage, log
from core.roster import Wish


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("worker")
    def run(data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
        """Run one worker process against DATABASE_URL and REDIS_URL.

        It ends with 75 when an operator asked for a restart, with 0 when it was told to stop.
        """
        # Only here: it takes two seconds, which no other command should wait for.
        from workers.main import until_signalled

        with told():
            settings = settings_here(data_dir)
            log.configure(settings.quiver_log_level)
            garbage.settle(garbage.OF_WORKER)
            if uvloop.run(until_signalled(settings)) is Wish.RESTART:
                raise typer.Exit(START_AGAIN)
