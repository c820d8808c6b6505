"""Partitions taken for a drain, also from a worker that stands still and does not know it."""

import asyncio
from collections.abc import Collection
from time import monotonic

from core.breath import BREATHLESS_AFTER_S, breathe_not
from core.log import get_logger
from core.models.work import (
    end_holder,
    select_holders,
    try_partition,
    unlock_partitions,
    wait_for_partition,
)
from core.postgres import Connection
from workers.deps import Deps

LOOK_EVERY_S = 2.5
PREFIX = "quiver worker "

log = get_logger(__name__)


def connection_name(worker_id: str) -> str:
    """What the database calls the connections of a worker."""
    return f"{PREFIX}{worker_id}"


async def take_partitions(conn: Connection, deps: Deps, partitions: Collection[int]) -> None:
    """Hold partitions until the connection is given back; always in one order, so nobody waits in a
    ring.

    Raises:
        TimeoutError: Somebody who works holds one of them for too long; none is held.
    """
    until = monotonic() + deps.settings.quiver_job_timeout_s
    held: list[int] = []
    try:
        for partition in sorted(set(partitions)):
            await _take(conn, deps, partition, until)
            held.append(partition)
    except BaseException:
        if not conn.is_closed():
            await asyncio.shield(unlock_partitions(conn, held))
        raise


async def _take(conn: Connection, deps: Deps, partition: int, until: float) -> None:
    """Hold a partition.

    Whoever holds it and does not breathe (its process is stopped, its machine gone without a word)
    loses its connection: what it did not commit is undone, so it can do no harm when it goes on.
    """
    if await try_partition(conn, partition):
        return
    breathless: frozenset[str] = frozenset()
    while not await wait_for_partition(conn, partition, LOOK_EVERY_S):
        if monotonic() > until:
            raise TimeoutError(f"partition {partition} is held by somebody else")
        holders = await select_holders(conn, [partition], BREATHLESS_AFTER_S)
        ids = {pid: n.removeprefix(PREFIX) for pid, n in holders.items() if n.startswith(PREFIX)}
        silent = await breathe_not(deps.valkey, deps.worker_id, ids.values())
        for pid, worker_id in ids.items():
            # Twice in a row: after an outage of the store nobody has breathed yet.
            if worker_id in silent & breathless:
                log.warning("a worker stands still and loses what it holds", worker=worker_id)
                await end_holder(conn, pid)
        breathless = silent
