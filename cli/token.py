"""`quiver token`: tokens from the command line, for the first of all and for scripts."""

import asyncio
from typing import Annotated

import typer

from cli.failing import told
from cli.where import DEFAULT_DATA_DIR, DataDir, settings_here
from core.errors import InvalidInputError
from core.models.token import create_token
from core.postgres import open_pool
from core.schema.token import Role
from core.settings import Settings


async def create(settings: Settings, role: Role, name: str) -> str:
    """A new token.

    Raises:
        InvalidInputError: The role is reader: a reader's token comes with the reader.
    """
    if role is Role.READER:
        raise InvalidInputError(
            "--role", "a reader's token comes with the reader: POST /api/v0/reader"
        )
    async with await open_pool(settings, minimum=0, maximum=1) as pool, pool.acquire() as conn:
        return (await create_token(conn, role, name)).token


def register(app: typer.Typer) -> None:
    """Add the commands."""
    commands = typer.Typer(help="Who may do what", no_args_is_help=True)

    @commands.callback()
    def about() -> None:
        """Who may do what."""

    @commands.command("create")
    def run(
        role: Annotated[Role, typer.Option(help="gateway, viewer, judge or admin")],
        name: Annotated[str, typer.Option(help="Whose it is, for the list of tokens")],
        data_dir: DataDir = DEFAULT_DATA_DIR,
    ) -> None:
        """Make a token and print it once: it is not kept."""
        with told():
            typer.echo(asyncio.run(create(settings_here(data_dir), role, name)))

    app.add_typer(commands, name="token")
