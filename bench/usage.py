"""What processes cost: processor time and memory, as Linux counts them."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
TICKS = os.sysconf("SC_CLK_TCK")
# Places in /proc/<pid>/stat after the name, from 0.
PARENT, USER, SYSTEM, CHILDREN_USER, CHILDREN_SYSTEM = 1, 11, 12, 13, 14


@dataclass(frozen=True, slots=True)
class Usage:
    """A process and all its children.

    Args:
        cpu_s: Processor seconds since its start, those of children that ended too.
        memory_mb: Resident megabytes; what processes share is divided between them.
    """

    cpu_s: float
    memory_mb: float


def usage_of(roots: Mapping[str, int]) -> dict[str, Usage]:
    """What each family of processes has cost until now.

    Args:
        roots: The first process of each family, by the family's name.
    """
    stats = dict(_stats())
    return {name: _family(root, stats) for name, root in roots.items()}


def _family(root: int, stats: Mapping[int, list[str]]) -> Usage:
    members, found = {root}, True
    while found:
        found = False
        for pid, stat in stats.items():
            if pid not in members and int(stat[PARENT]) in members:
                members.add(pid)
                found = True
    ticks = sum(_ticks(stats[pid]) for pid in members if pid in stats)
    return Usage(ticks / TICKS, round(sum(_megabytes(pid) for pid in members), 2))


def _ticks(stat: list[str]) -> int:
    return sum(int(stat[n]) for n in (USER, SYSTEM, CHILDREN_USER, CHILDREN_SYSTEM))


def _stats() -> Iterable[tuple[int, list[str]]]:
    for folder in PROC.glob("[0-9]*"):
        try:
            text = (folder / "stat").read_text(encoding="utf-8")
        except OSError:
            # It has ended meanwhile.
            continue
        yield int(folder.name), text.rpartition(")")[2].split()


def _megabytes(pid: int) -> float:
    try:
        lines = (PROC / str(pid) / "smaps_rollup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024
