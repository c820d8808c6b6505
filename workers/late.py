"""What came late, done in parts so small that what happens now is not held up by it.

The outcome depends on no order, so all that came for a butt is done at once, whatever came for
others in between: the butt's shots are derived once and not again for every request of a replay.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from copy import replace
from uuid import UUID

from core.entries import Entry, Reading
from core.models.binding_at import select_bindings
from core.models.instants import now
from core.schema.inbox import Accepted, AcceptedEvent, readable
from core.valkey import LOST
from workers.deps import Deps
from workers.drain import do_reading, turn_at

# So many entries, and what else there is of their butts, are done in one transaction.
PART = 500
# Somebody who died over what came late is not waited for any longer.
CLAIM_MS = 3_000


async def drain_late(
    deps: Deps, partition: int, may_go_on: Callable[[], bool] = lambda: True
) -> bool:
    """Do the oldest of what came late for a partition; whether there was anything.

    Args:
        deps: The worker's clients.
        partition: Whose.
        may_go_on: Asked after each part; what is not done stays where it is.

    Whatever dies in between, nothing is lost: what is not committed is still in the inbox.
    """
    lane, began_at = deps.inbox.late_lane(partition), now()
    reading = await deps.inbox.begin_and_read(lane, deps.settings.quiver_batch_size)
    if not reading.entries and reading.deadly is None:
        return False
    try:
        parts = await _parts(deps, reading)
        for number, part in enumerate(parts):
            if number and not may_go_on():
                break
            async with turn_at(deps, partition, with_overdue=False) as (conn, held):
                # What was asked waits for what is in the other parts.
                turn = replace(held, lane=lane, is_asked=False, is_part=len(parts) > 1)
                await do_reading(conn, deps, turn, part, began_at)
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
    for entries in await _closed(deps, reading.entries):
        if not parts or len(parts[-1]) >= PART:
            parts.append([])
        parts[-1] += entries
    # Nobody's time is up before the parts that are still to be done are: they wait in the lane.
    begins = [min(entry.came_at for entry in part) for part in parts]
    return [
        replace(
            reading,
            entries=sorted(part, key=lambda e: e.order),
            now_since=min(filter(None, [reading.now_since, *begins[n + 1 :]]), default=None),
        )
        for n, part in enumerate(parts)
    ]


async def _closed(deps: Deps, entries: Sequence[Entry]) -> list[list[Entry]]:
    """Entries in such groups that no reader is in two, and no butt: a reader's word, for which all
    counts that came before it, is done with all that it may decide. Those that cannot be read are a
    group."""
    told = [(entry, readable(entry.payload)) for entry in entries]
    readers = {each.reader_id for _, each in told if each is not None}
    times = [at for _, each in told if each is not None for at in _times(each)]
    # Also who went to a butt since: of arrows that are in the air there just now they tell, too.
    began, ended = min(times, default=0), max([now(), *times])
    async with deps.pool.acquire() as conn:
        bindings = await select_bindings(conn, readers, began)
    homes = _homes({reader: bindings.targets_between(reader, began, ended) for reader in readers})
    closed: dict[UUID | None, list[Entry]] = {}
    for entry, each in told:
        closed.setdefault(None if each is None else homes[each.reader_id], []).append(entry)
    return list(closed.values())


def _times(accepted: Accepted) -> tuple[int, ...]:
    """When it happened, as far as it says how far its reader's clock is off, and when it came."""
    if not isinstance(accepted, AcceptedEvent):
        return (accepted.received_at,)
    if accepted.offset is not None or accepted.sent_at is None:
        return accepted.at, accepted.received_at
    return accepted.ts + accepted.received_at - accepted.sent_at, accepted.received_at


def _homes(butts_of: Mapping[UUID, Collection[UUID]]) -> dict[UUID, UUID]:
    """One id for all readers that share a butt, directly or through others; by reader."""
    home: dict[UUID, UUID] = {}

    def root(key: UUID) -> UUID:
        while (above := home.setdefault(key, key)) != key:
            key = above
        return key

    for reader, butts in butts_of.items():
        for butt in butts:
            home[root(reader)] = root(butt)
    return {reader: root(reader) for reader in butts_of}
