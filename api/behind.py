"""What is falling behind or broken, in words, the worst first."""

from collections.abc import Sequence
from dataclasses import dataclass

from core.models.failed_job import COUNTED_AT_MOST
from core.schema.admin import PauseState
from core.schema.types import rfc3339

LATE_MS = 5_000
STUCK_MS = 60_000
SLOW_MS = 1_000
FILLING = 0.5


@dataclass(frozen=True, slots=True)
class Counted:
    """What the words are about.

    Args:
        fullest: Entries in the fullest partition.
        limit: Entries that a partition holds at most.
        oldest_age_ms: How long the oldest of all that has waited.
        stuck: Partitions whose oldest entry has waited for longer than `STUCK_MS`.
        failed: Jobs that wait for an operator.
        failed_lately: Jobs that were given up in the last five minutes.
        retrying: Jobs that failed and will be tried again.
        silent: Readers of open sessions that should be heard and are not.
        workers: Workers that are alive.
        pause: Whether the queue is held.
        latency_p99_ms: From arrival until viewers are told, over five minutes.
        warnings: What the stores say.
        is_redis_up: Whether there is a queue to look at.
    """

    fullest: int
    limit: int
    oldest_age_ms: int
    stuck: Sequence[int]
    failed: int
    failed_lately: int
    retrying: int
    silent: int
    workers: int
    pause: PauseState
    latency_p99_ms: float | None
    warnings: Sequence[str]
    is_redis_up: bool


def in_words(counted: Counted) -> list[str]:
    """A sentence for each."""
    stands = _standing_still(counted) if counted.is_redis_up else []
    return [*stands, *counted.warnings, *_behind(counted), *_to_be_seen_to(counted)]


def _standing_still(counted: Counted) -> list[str]:
    found: list[str] = []
    if counted.pause.paused_at is not None:
        reason = f": {counted.pause.reason}" if counted.pause.reason else ""
        since = rfc3339(counted.pause.paused_at)
        found.append(f"Paused since {since} by {counted.pause.paused_by}{reason}.")
    if not counted.workers:
        found.append("No worker is alive: events are taken, and no result comes.")
    return found


def _behind(counted: Counted) -> list[str]:
    found: list[str] = []
    if counted.oldest_age_ms >= LATE_MS:
        found.append(f"The oldest work has waited for {counted.oldest_age_ms / 1000:.0f} s.")
    # While nothing is begun at all, no partition is worse off than another.
    if counted.stuck and counted.workers and counted.pause.paused_at is None:
        found.append(_stuck(counted.stuck))
    if counted.fullest >= FILLING * counted.limit:
        share = counted.fullest * 100 // counted.limit
        found.append(
            f"A partition of the inbox is {share} % full: full, it refuses events until workers"
            " catch up."
        )
    if (counted.latency_p99_ms or 0) >= SLOW_MS:
        found.append(
            f"One event in a hundred takes {(counted.latency_p99_ms or 0) / 1000:.1f} s or more"
            " until viewers see it."
        )
    return found


def _stuck(partitions: Sequence[int]) -> str:
    which = ", ".join(map(str, partitions))
    who = f"Partition {which} is" if len(partitions) == 1 else f"Partitions {which} are"
    return f"{who} stuck: the oldest event there has waited for over {STUCK_MS // 1000} s."


def _to_be_seen_to(counted: Counted) -> list[str]:
    found: list[str] = []
    if counted.failed:
        found.append(f"{_failed(counted.failed)} failed: an operator must see to it.")
    if counted.failed_lately:
        found.append(f"{_number(counted.failed_lately, 'job')} failed in the last five minutes.")
    if counted.retrying:
        found.append(f"{_number(counted.retrying, 'job')} failed and will be tried again.")
    if counted.silent:
        are = "is" if counted.silent == 1 else "are"
        found.append(f"{_number(counted.silent, 'reader')} of open sessions {are} silent.")
    return found


def _failed(count: int) -> str:
    is_all = count <= COUNTED_AT_MOST
    return _number(count, "job") if is_all else f"More than {COUNTED_AT_MOST} jobs"


def _number(count: int, of: str) -> str:
    return f"{count} {of}" if count == 1 else f"{count} {of}s"
