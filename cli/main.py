"""The `quiver` command: composes the rest."""

import typer

from cli import api, bench, evaluate, migrate, queue, simulate, token, up, watch, worker

app = typer.Typer(
    help="Archery telemetry and scoring: from readers' events to live, judged scores.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
for part in (up, api, worker, migrate, token, simulate, evaluate, watch, queue, bench):
    part.register(app)


def main() -> None:
    """The command's entry."""
    app()


if __name__ == "__main__":
    main()
