"""What this machine is good for."""

import os
from typing import Annotated

import typer

# A worker fills one core when much happens; the stores and the API together want as many. More of
# them hold each other up: each drain is smaller, and costs more than what is in it.
# The stores' connections are enough for some eight.
DEFAULT_WORKERS = min(max(1, (os.process_cpu_count() or 1) // 2), 8)

Workers = Annotated[
    int,
    typer.Option(
        min=1,
        max=64,
        help="Worker processes; else one for two cores, eight at most",
        show_default=False,
    ),
]
