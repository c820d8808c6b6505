"""What a crash left between commit and publish is published after all."""

from core.domain.values import SECOND
from core.models.correlated_shot import mark_published, select_unpublished
from workers.auto_ends import tell_overlooked
from workers.consequences import now
from workers.deps import Deps
from workers.frames import overlooked_frames
from workers.review import listed_frames

# A worker that is alive publishes within this time of its commit.
OVERLOOKED_AFTER = 2 * SECOND
AT_ONCE = 500


async def relay(deps: Deps) -> None:
    """Publish the last version of each shot whose viewers were not told of it, and ends likewise.

    A viewer that hears it twice knows by the shot's id and version.
    """
    before = now() - OVERLOOKED_AFTER
    async with deps.pool.acquire() as conn, conn.transaction():
        await tell_overlooked(conn, deps, before)
    while True:
        async with deps.pool.acquire() as conn, conn.transaction():
            overlooked = await select_unpublished(conn, before, AT_ONCE)
            reviews = await listed_frames(conn, overlooked)
            await deps.feed.publish([*overlooked_frames(overlooked), *reviews])
            await mark_published(conn, overlooked)
        if len(overlooked) < AT_ONCE:
            return
