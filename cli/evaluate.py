"""`quiver evaluate`: what the API says held against what really happened, or what the rules make of
a simulated field."""

from functools import wraps
from typing import Any

import typer

from cli.evaluation_wish import Wish


def register(app: typer.Typer) -> None:
    """Add the command."""

    # The fields of the wish are the command's options.
    @app.command("evaluate")
    @wraps(Wish, updated=())
    def run(**wished: Any) -> None:
        # Only here: the oracle takes a second, which no other command should wait for.
        from cli.evaluating import evaluate_command

        evaluate_command(Wish(**wished))
