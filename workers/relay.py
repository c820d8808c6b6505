"""What a crash left between commit and publish is published after all."""

from collections.abc import Sequence

from core.domain.values import SECOND
from core.models.correlated_shot import StoredShot, lock_shots
from core.models.instants import now
from core.models.untold import Untold, delete_untold, lock_untold
from workers.auto_ends import tell_overlooked
from workers.deps import Deps
from workers.frames import overlooked_frames
from workers.review import listed_frames

# A worker that is alive publishes within this time of its commit.
OVERLOOKED_AFTER = 2 * SECOND
# Writes; each is of one batch of events at most.
AT_ONCE = 20


async def relay(deps: Deps) -> None:
    """Publish the last version of each shot whose viewers were not told of it, and ends likewise.

    A viewer that hears it twice knows by the shot's id and version.
    """
    before = now() - OVERLOOKED_AFTER
    async with deps.pool.acquire() as conn, conn.transaction():
        await tell_overlooked(conn, deps, before)
    last_id, is_all = 0, False
    while not is_all:
        async with deps.pool.acquire() as conn, conn.transaction():
            untold = await lock_untold(conn, before, AT_ONCE, last_id)
            shots = await lock_shots(conn, {i for each in untold for i in each.shot_ids})
            locked = {known.shot.id for known in shots}
            # What somebody else is about to change is told with the next look.
            told = [each for each in untold if locked.issuperset(each.shot_ids)]
            shots = _named(shots, told)
            reviews = await listed_frames(conn, shots)
            await deps.feed.publish([*overlooked_frames(shots), *reviews])
            await delete_untold(conn, [each.id for each in told])
        is_all = len(untold) < AT_ONCE
        # What cannot be told just now does not stand in the others' way.
        last_id = max((each.id for each in untold), default=last_id)


def _named(shots: Sequence[StoredShot], told: Sequence[Untold]) -> list[StoredShot]:
    ids = {shot_id for each in told for shot_id in each.shot_ids}
    return [known for known in shots if known.shot.id in ids]
