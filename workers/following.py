"""What must follow a batch, as jobs: the end of arrows' time in the air, scores that could not be
told, leaderboards."""

from collections.abc import Collection, MutableMapping
from datetime import datetime, timedelta
from uuid import UUID

from core.domain.values import MILLISECOND
from core.models.instants import instant
from core.queue import Wanted

# Timers of one partition within this time are one job.
BUCKET = 250 * MILLISECOND


def timers(partition: int, deadlines: Collection[int]) -> list[Wanted]:
    """A look at a partition's arrows after each of these times, microseconds; the nearest together
    in one."""
    buckets = sorted({deadline // BUCKET + 1 for deadline in deadlines})
    return [
        Wanted(
            "expire", (partition, bucket), f"expire:{partition}:{bucket}", instant(bucket * BUCKET)
        )
        for bucket in buckets
    ]


def scoring(target_id: UUID, request_id: UUID | None) -> Wanted:
    """Another try to score a target's shots."""
    return Wanted("score_shots", (str(target_id),), f"score:{target_id}", request_id=request_id)


def ranking(
    ranked_for: MutableMapping[UUID, datetime], sessions: Collection[UUID], now: datetime
) -> list[Wanted]:
    """A leaderboard of each session at most once a second: in the next full second, however often
    it is asked for.

    Args:
        ranked_for: For when each session's was last asked for; what is asked for now is added.
        sessions: Whose shots changed.
        now: Now.
    """
    second = now.replace(microsecond=0) + timedelta(seconds=1)
    new = sorted(session for session in sessions if ranked_for.get(session) != second)
    ranked_for.update(dict.fromkeys(new, second))
    at = int(second.timestamp())
    return [
        Wanted("leaderboard", (str(session),), f"leaderboard:{session}:{at}", second)
        for session in new
    ]
