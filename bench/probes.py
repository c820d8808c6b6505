"""How quick the machine is just now: a machine that is shared may be another one from minute to
minute, and figures of such runs do not compare."""

import os
import time
from pathlib import Path
from statistics import median

SYNCS, LOOPS = 50, 5
ROUNDS = 1_000_000


def probed(directory: Path, when: str) -> dict[str, float]:
    """Figures that tell it, by names that say when.

    Args:
        directory: On the disk that counts.
        when: Such as `before`.
    """
    return {f"disk fsync {when} ms": fsync_ms(directory), f"fixed loop {when} ms": loop_ms()}


def fsync_ms(directory: Path) -> float:
    """How long a small write takes to be on disk there: the median of some."""
    took: list[float] = []
    path = directory / "fsync"
    with path.open("wb", buffering=0) as file:
        for _ in range(SYNCS):
            begun = time.perf_counter()
            file.write(b"x" * 512)
            os.fdatasync(file.fileno())
            took.append(1000 * (time.perf_counter() - begun))
    path.unlink()
    return median(took)


def loop_ms() -> float:
    """How long the interpreter takes for a million times next to nothing: the median of some."""
    took: list[float] = []
    for _ in range(LOOPS):
        begun, low = time.perf_counter(), 0
        for number in range(ROUNDS):
            low += number & 3
        took.append(1000 * (time.perf_counter() - begun))
    return median(took)
