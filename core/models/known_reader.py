"""What is known of readers whose word has come: where they were, when they were heard last, how
their clocks go, and on which ways their words came before."""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from msgspec import Struct

from core.models.binding_at import SINCE_THE_LAST_BEFORE, Bindings, bound_of
from core.models.instants import FOREVER, instant, microseconds
from core.models.reader_clock import ClockKey, KnownClock, Source, clock_of
from core.postgres import Connection

# In one read, since it is done for every batch. Whoever has to wait for a reader that was heard
# before does so here: all statements of the transaction that come after it see what the other left.
KNOWN_READER_LOCK = (
    """
SELECT asked.reader_id,
    (
        SELECT last_heard_at FROM reader_status AS status
        WHERE status.reader_id = asked.reader_id FOR UPDATE
    ) AS last_heard_at,
    ARRAY(
        SELECT ROW(source, suspect, state::text) FROM reader_clock AS clock
        WHERE clock.reader_id = asked.reader_id ORDER BY source FOR UPDATE
    ) AS clocks,
    ARRAY(
        SELECT ROW(target_id, slot_id, valid_from, valid_to) FROM reader_binding AS binding
        WHERE binding.reader_id = asked.reader_id AND """
    + SINCE_THE_LAST_BEFORE
    + """
        ORDER BY valid_from
    ) AS bindings,
    ARRAY(
        SELECT DISTINCT target_id FROM reader_binding AS binding
        WHERE binding.reader_id = asked.reader_id AND slot_id IS NULL
    ) AS watched,
    ARRAY(
        SELECT ROW(partition_key, left_at) FROM reader_way AS way
        WHERE way.reader_id = asked.reader_id
    ) AS ways
FROM unnest($1::uuid[]) AS asked (reader_id)
"""
)


class Way(Struct, frozen=True):
    """A way on which a reader's words came before it was moved.

    Args:
        key: The key of the partition that they went to.
        left_at: Until when, microseconds.
    """

    key: int
    left_at: int


class KnownReaders(Struct, frozen=True):
    """What is known of some readers.

    Args:
        bindings: Where they were, and when, as far back as was asked.
        clocks: How far their clocks are from ours, as far as anything was measured.
        watched: The butts that each of them ever saw arrows land on.
        last_heard: When they were heard last, microseconds; who never was is not in it.
        ways: On which ways their words came before, of those that were moved of late.
    """

    bindings: Bindings
    watched: Mapping[UUID, Collection[UUID]]
    clocks: Mapping[ClockKey, KnownClock]
    last_heard: Mapping[UUID, int]
    ways: Mapping[UUID, Sequence[Way]]


async def lock_readers(
    conn: Connection, readers: Collection[UUID], since: int = -FOREVER
) -> KnownReaders:
    """What is known of some readers; nobody else changes their presence or their clocks until the
    transaction ends.

    Args:
        conn: In a transaction.
        readers: Which.
        since: Where they were before is not wanted, microseconds.
    """
    # In one order for all, so that two workers do not lock each other out.
    rows = await conn.fetch(KNOWN_READER_LOCK, sorted(readers), instant(since))
    return KnownReaders(
        Bindings({row["reader_id"]: list(map(bound_of, row["bindings"])) for row in rows}, since),
        {row["reader_id"]: row["watched"] for row in rows},
        {
            (row["reader_id"], Source(source)): clock_of(state, suspect)
            for row in rows
            for source, suspect, state in row["clocks"]
        },
        {
            row["reader_id"]: microseconds(row["last_heard_at"])
            for row in rows
            if row["last_heard_at"] is not None
        },
        {
            row["reader_id"]: [Way(key, microseconds(left_at)) for key, left_at in row["ways"]]
            for row in rows
            if row["ways"]
        },
    )
