"""`quiver migrate`: the database's migrations."""

from typing import Annotated

import typer

from cli.failing import told
from cli.where import DEFAULT_DATA_DIR, DataDir, settings_here
from core import migrate


def register(app: typer.Typer) -> None:
    """Add the commands."""
    commands = typer.Typer(help="The database's migrations", no_args_is_help=True)

    @commands.command("up")
    def up(data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
        """Apply what is pending; the database is made when it is not there."""
        with told():
            typer.echo(migrate.up(settings_here(data_dir)).strip())

    @commands.command("down")
    def down(
        data_dir: DataDir = DEFAULT_DATA_DIR,
        everything: Annotated[
            bool, typer.Option("--all", help="Every migration, with all data: nothing is left")
        ] = False,
    ) -> None:
        """Take the newest migration back."""
        with told():
            take_back = migrate.down_to_nothing if everything else migrate.down
            typer.echo(take_back(settings_here(data_dir)).strip())

    @commands.command("status")
    def status(data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
        """Show what is applied and what is pending."""
        with told():
            typer.echo(migrate.status(settings_here(data_dir)).strip())

    app.add_typer(commands, name="migrate")
