"""Wake-ups and timers of a partition: both do all that waits for it, so it matters little which
comes."""

from core.models.correlated_shot import select_overdue
from core.models.instants import now
from core.models.unmatched_landing import select_due_targets
from workers.deps import Deps
from workers.drain import drain
from workers.following import looks
from workers.late import drain_late_alone


async def correlate(deps: Deps, partition: int) -> None:
    """Something came for this partition."""
    await drain(deps, partition)
    depth = await deps.inbox.depth_of(deps.inbox.late_lane(partition))
    # What must wait for another partition is put back, and is not there for this once more.
    for _ in range(1 + depth // deps.settings.quiver_batch_size):
        if not await drain_late_alone(deps, partition):
            break


async def overdue(deps: Deps, bucket: int) -> None:
    """Some arrow may have been in the air for too long: most have landed by now, and only the
    partitions of the others are looked at.

    Args:
        deps: The worker's clients.
        bucket: The 250 ms in which its time was up.
    """
    as_of = now()
    async with deps.pool.acquire() as conn:
        targets = {*await select_overdue(conn, as_of), *await select_due_targets(conn, as_of)}
    partitions = {deps.inbox.partition_of(target) for target in targets}
    await deps.queue.enqueue_all(looks(partitions, bucket))


async def expire(deps: Deps, partition: int, bucket: int) -> None:
    """Shots of this partition have been in the air for too long.

    Args:
        deps: The worker's clients.
        partition: Whose shots.
        bucket: The 250 ms in which their time was up, 0 when a sweep found them; what is overdue
            is read from the rows.
    """
    await drain(deps, partition, with_overdue=True, is_late=bucket == 0)
