"""What must follow a batch, as jobs: the end of arrows' time in the air, scores that could not be
told, leaderboards."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from core.domain.values import MILLISECOND
from core.models.instants import instant
from core.queue import Wanted

# Timers within this time are one job, whosever arrows they are about.
BUCKET = 250 * MILLISECOND


class Appointments:
    """Jobs for a time to come, each asked for once by a process however many batches want it."""

    def __init__(self) -> None:
        self._made: dict[str, datetime] = {}

    def new(self, wanted: Sequence[Wanted], now: datetime) -> list[Wanted]:
        """Those that were not asked for before, and are from now on.

        Args:
            wanted: Jobs with an id and a time.
            now: Now.
        """
        self._made = {job_id: at for job_id, at in self._made.items() if at > now}
        new = [each for each in wanted if each.job_id not in self._made]
        for each in new:
            if each.job_id is not None and each.defer_until is not None:
                self._made[each.job_id] = each.defer_until
        return new


def timers(deadlines: Collection[int], now: int) -> list[Wanted]:
    """A look at all arrows after each of these times, the nearest together in one.

    Args:
        deadlines: Microseconds; what is past already is looked at next.
        now: Now, microseconds.
    """
    buckets = sorted({max(deadline, now) // BUCKET + 1 for deadline in deadlines})
    return [
        Wanted("overdue", (bucket,), f"overdue:{bucket}", instant(bucket * BUCKET))
        for bucket in buckets
    ]


def looks(partitions: Collection[int], bucket: int) -> list[Wanted]:
    """A look at each partition's shots, some of which are overdue since this bucket of time."""
    return [
        Wanted("expire", (partition, bucket), f"expire:{partition}:{bucket}")
        for partition in sorted(partitions)
    ]


def scoring(target_id: UUID, request_id: UUID | None) -> Wanted:
    """Another try to score a target's shots."""
    return Wanted("score_shots", (str(target_id),), f"score:{target_id}", request_id=request_id)


def ranking(sessions: Collection[UUID], now: datetime) -> list[Wanted]:
    """A leaderboard of each session at most once a second: in the next full second, however often
    it is asked for.

    Args:
        sessions: Whose shots changed.
        now: Now.
    """
    second = now.replace(microsecond=0) + timedelta(seconds=1)
    at = int(second.timestamp())
    return [
        Wanted("leaderboard", (str(session),), f"leaderboard:{session}:{at}", second)
        for session in sorted(sessions)
    ]
