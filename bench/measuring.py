"""Everything that was wished for, one benchmark after the other."""

from collections.abc import Sequence
from pathlib import Path

import orjson
from rich.console import Console

from bench.figures import Run
from bench.machine import describe
from bench.report import as_json, show
from bench.stack import open_stack
from bench.suite import check_large_enough, chosen, measure_all
from bench.wish import Wish
from core.errors import InvalidInputError


def measure(wish: Wish, names: Sequence[str], json: Path | None, *, against: bool) -> bool:
    """Run benchmarks, print each when it is done, and write all; whether all figures count.

    Raises:
        QuiverError: There is none of such a name, the field is too small for it, nothing can be
            written there, or what is to be measured does not come up, or is not durable.
    """
    console = Console()
    found: dict[str, Sequence[Run]] = {}
    wanted = chosen(names, against=against)
    check_large_enough(wanted, wish)
    if json is not None:
        _check_writable(json)
    with open_stack(wish.workers) as stack:
        about = describe(stack)
        console.print(about["machine"])
        for name, runs in measure_all(stack, wish, wanted):
            found[name] = runs
            show(name, runs, wish, console)
            if json is not None:
                said = as_json(about, wish, found)
                json.write_bytes(orjson.dumps(said, option=orjson.OPT_INDENT_2))
    return not any(run.doubts for runs in found.values() for run in runs)


def _check_writable(json: Path) -> None:
    """Now, and not when hours of measuring are over."""
    is_new = not json.exists()
    try:
        json.open("ab").close()
    except OSError as error:
        raise InvalidInputError("--json", f"nothing can be written there: {error}") from error
    if is_new:
        # Whoever breaks off before the first benchmark ends is left no file without anything in it.
        json.unlink()
