"""The safety net: once a second, what a lost job would have done is found and done."""

from core.domain.values import MILLISECOND, SECOND
from core.models.auto_end import count_untold_ends
from core.models.correlated_shot import select_forsaken, select_overdue
from core.models.failed_job_retry import delete_old, select_left
from core.models.instants import instant, now
from core.models.presence import mark_silent
from core.models.standing_rank import select_unranked_sessions
from core.models.unmatched_landing import select_due_targets
from core.models.untold import count_untold
from core.models.work import select_asked_partitions
from core.postgres import Connection
from workers.batch import ask_for, places
from workers.deps import Deps
from workers.frames import reader_frames
from workers.job import RETRY
from workers.relay import OVERLOOKED_AFTER

# What should have been done this long ago is overdue: its job was lost.
GRACE = 500 * MILLISECOND
RANK_GRACE = 3 * SECOND
# Failed jobs that are asked for again, or forgotten, in one run.
LEFT_AT_ONCE = 200
OLD_AT_ONCE = 200


async def sweep(deps: Deps) -> None:
    """Find what nobody is at, and have it done."""
    as_of = now()
    async with deps.pool.acquire() as conn:
        partitions = await _forgotten_partitions(conn, deps, as_of)
        partitions |= await _silent_readers(conn, deps, as_of)
        overdue = set(await select_overdue(conn, as_of - GRACE))
        overdue |= await select_due_targets(conn, as_of - GRACE)
        overlooked = await count_untold(conn, as_of - OVERLOOKED_AFTER)
        overlooked += await count_untold_ends(conn, as_of - OVERLOOKED_AFTER)
        unranked = await select_unranked_sessions(conn, instant(as_of - RANK_GRACE))
        left = await select_left(conn, LEFT_AT_ONCE)
        await delete_old(conn, OLD_AT_ONCE)
    await deps.queue.date_undated()
    await deps.queue.wake(sorted(partitions))
    for partition in sorted({deps.inbox.partition_of(target) for target in overdue}):
        await deps.queue.enqueue("expire", partition, 0)
    if overlooked:
        await deps.queue.enqueue("relay", job_id="relay")
    for failed_job_id, request_id in left.items():
        # The same job as the one that it waits for, if that is still there.
        job_id = f"{RETRY}:{failed_job_id}"
        await deps.queue.enqueue(RETRY, str(failed_job_id), job_id=job_id, request_id=request_id)
    for session_id in unranked:
        await deps.queue.enqueue("leaderboard", str(session_id), job_id=f"leaderboard:{session_id}")


async def _forgotten_partitions(conn: Connection, deps: Deps, as_of: int) -> set[int]:
    """Partitions with entries in the inbox that nobody is at, or something asked of them long
    ago."""
    waiting = await deps.inbox.unattended()
    asked = await select_asked_partitions(conn, deps.inbox.partitions, instant(as_of - GRACE))
    return {*waiting, *asked}


async def _silent_readers(conn: Connection, deps: Deps, as_of: int) -> set[int]:
    """Call silent readers offline; what was called a miss on their word is looked at once more,
    wherever they are by now."""
    # What a reader said last may still lie in the inbox.
    oldest_ms = await deps.inbox.oldest_ms()
    heard_until = as_of if oldest_ms is None else min(as_of, oldest_ms * MILLISECOND)
    heard_before = heard_until - deps.offline_after
    async with conn.transaction():
        silent = await mark_silent(conn, instant(heard_before))
        gone = await places(conn, silent, as_of)
        asked = await ask_for(conn, deps, await select_forsaken(conn, heard_before))
    await deps.feed.publish(reader_frames("reader.offline", gone))
    return asked
