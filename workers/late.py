"""What came late, done in parts so small that what happens now is not held up by it.

The outcome depends on no order, so all that came for a butt is done at once, whatever came for
others in between: the butt's shots are derived once and not again for every request of a replay.
"""

from collections.abc import Sequence
from contextlib import suppress
from copy import replace
from uuid import UUID

from core.entries import Entry, Reading
from core.models.binding_at import select_bindings
from core.schema.inbox import AcceptedBeat
from core.valkey import LOST
from workers.batch import owner
from workers.consequences import now
from workers.deps import Deps
from workers.drain import do_reading, turn_at
from workers.entries import readable

# So many entries, and what else there is of their butts, are done in one transaction.
PART = 350
# Somebody who died over what came late is not waited for any longer.
CLAIM_MS = 3_000


async def drain_late(deps: Deps, partition: int) -> bool:
    """Do the oldest of what came late for a partition; whether there was anything.

    Whatever dies in between, nothing is lost: what is not committed is still in the inbox.
    """
    lane, began_at = deps.inbox.late_lane(partition), now()
    reading = await deps.inbox.begin_and_read(lane, deps.settings.quiver_batch_size)
    if not reading.entries and reading.deadly is None:
        return False
    try:
        for part in await _parts(deps, reading):
            async with turn_at(deps, partition, with_overdue=False) as (conn, held):
                await do_reading(conn, deps, replace(held, lane=lane), part, began_at)
    except BaseException:
        # It was no death. A store that is away does not hear it: then it counts as one.
        with suppress(*LOST):
            await deps.inbox.give_back(lane)
        raise
    return True


async def drain_late_alone(deps: Deps, partition: int) -> bool:
    """As `drain_late`, unless somebody is at it."""
    if not await deps.inbox.claim_late(partition, CLAIM_MS):
        return False
    try:
        return await drain_late(deps, partition)
    finally:
        await deps.inbox.leave_late(partition)


async def _parts(deps: Deps, reading: Reading) -> list[Reading]:
    """What was read, butt by butt; as it was read where somebody died over it, so that it shows
    over what."""
    if not (reading.is_plain and reading.is_first_try) or len(reading.entries) <= PART:
        return [reading]
    parts: list[list[Entry]] = []
    by_butt, signs = await _by_butt(deps, reading.entries)
    for entries in by_butt.values():
        if not parts or len(parts[-1]) >= PART:
            parts.append([])
        parts[-1] += entries
    # They say that all before them was told: that must be done first, whosever it is.
    parts += [signs] if signs else []
    return [
        replace(reading, entries=sorted(part, key=lambda e: e.order), has_more=True)
        for part in parts
    ]


async def _by_butt(
    deps: Deps, entries: Sequence[Entry]
) -> tuple[dict[UUID | None, list[Entry]], list[Entry]]:
    """Events by their butt or reader, those that cannot be read as None's; and what only says that
    a reader lives."""
    told = [(entry, readable(entry)) for entry in entries]
    readers = {each.reader_id for _, each in told if each is not None}
    async with deps.pool.acquire() as conn:
        bindings = await select_bindings(conn, readers)
    by_butt: dict[UUID | None, list[Entry]] = {}
    signs: list[Entry] = []
    for entry, each in told:
        if isinstance(each, AcceptedBeat) or each is not None and each.is_echo:
            signs.append(entry)
        else:
            by_butt.setdefault(None if each is None else owner(each, bindings), []).append(entry)
    return by_butt, signs
