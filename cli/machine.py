"""What this machine is good for."""

import os
from typing import Annotated

import typer

from core.seats import WORKERS_AT_MOST

# Half of them take what happens now, the others stand by (`core.seats`). The stores' connections
# are enough for some eight.
DEFAULT_WORKERS = min(os.process_cpu_count() or 1, WORKERS_AT_MOST)

Workers = Annotated[
    int,
    typer.Option(
        min=1,
        max=64,
        help="Worker processes; else one for each core, eight at most",
        show_default=False,
    ),
]
