"""Wake-ups and timers of a partition: both do all that waits for it, so it matters little which
comes."""

from workers.deps import Deps
from workers.drain import drain


async def correlate(deps: Deps, partition: int) -> None:
    """Something came for this partition."""
    await drain(deps, partition)


async def expire(deps: Deps, partition: int, bucket: int) -> None:
    """Shots of this partition have been in the air for too long.

    Args:
        deps: The worker's clients.
        partition: Whose shots.
        bucket: The 250 ms in which their time was up, 0 when a sweep found them; what is overdue
            is read from the rows.
    """
    await drain(deps, partition, with_overdue=True, is_late=bucket == 0)
