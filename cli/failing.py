"""Errors as one sentence on the terminal."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from core import postgres, valkey
from core.errors import QuiverError


@contextmanager
def told() -> Iterator[None]:
    """End the command with a sentence, not a traceback, when something expectable goes wrong."""
    try:
        yield
    except QuiverError as error:
        raise _ended(str(error)) from error
    except KeyboardInterrupt as error:
        # What a shell expects of a command that was interrupted.
        raise typer.Exit(130) from error
    except (*postgres.LOST, *valkey.LOST) as error:
        raise _ended(f"a store cannot be reached: {error}") from error


def _ended(sentence: str) -> typer.Exit:
    typer.secho(f"quiver: {sentence}", fg=typer.colors.RED, err=True)
    return typer.Exit(1)
