"""What `quiver evaluate` was asked for."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer


@dataclass(frozen=True, slots=True)
class Wish:
    """Hold shots against what really happened, and print tables.

    With --truth: what a server says. With --field: what the rules make of a simulated field, beside
    an oracle that knows what no server can, without a server. With --grid: of all kinds of fields.

    Exit status 0: enough is right; 1: not enough; 2: there is nothing to compare.
    """

    truth: Annotated[Path | None, typer.Option(help="What `simulate` wrote")] = None
    url: Annotated[str | None, typer.Option(help="The API; else where it was sent to")] = None
    token: Annotated[str | None, typer.Option(help="An admin's; else QUIVER_TOKEN")] = None
    wait: Annotated[float, typer.Option(min=0, help="Seconds to wait for the workers")] = 60
    at_least: Annotated[
        float, typer.Option(min=0, max=100, help="Percent that must be right for exit status 0")
    ] = 100
    field: Annotated[bool, typer.Option("--field", help="A simulated field, no server")] = False
    grid: Annotated[bool, typer.Option("--grid", help="Fields of all kinds, no server")] = False
    distance: Annotated[float, typer.Option(min=5, max=90, help="Of the field, metres")] = 70
    noise_ms: Annotated[float, typer.Option(min=0, help="How far event times are off")] = 10
    loss: Annotated[float, typer.Option(min=0, max=0.9, help="Share of events lost")] = 0.01
    offset: Annotated[float, typer.Option(min=0, help="Seconds a clock is off at most")] = 0
    own_faces: Annotated[bool, typer.Option("--own-faces", help="A face for each archer")] = False
    shots: Annotated[int, typer.Option(min=240, help="About how many, of each field")] = 20_000
    seed: Annotated[int, typer.Option(help="The same seed gives the same field")] = 1
    goals: Annotated[
        bool, typer.Option("--goals", help="Exit status 1 when the rules miss a goal")
    ] = False
    json: Annotated[bool, typer.Option("--json", help="Print JSON, not tables")] = False
    write: Annotated[
        Path | None, typer.Option(help="Put the grid's table between a document's marks")
    ] = None
