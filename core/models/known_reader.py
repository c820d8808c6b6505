"""What is known of the readers whose word has just come: where they were, how their clocks go, and
which shots their being there may decide."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from uuid import UUID

from core.domain.window import Span
from core.models.binding_at import Bindings, bound_of
from core.models.instants import instant, microseconds
from core.models.reader_clock import ClockKey, KnownClock, Source, clock_of
from core.postgres import Connection

# In one read, since it is done for every batch.
KNOWN_READER_LOCK = """
SELECT asked.reader_id,
    ARRAY(
        SELECT ROW(target_id, slot_id, valid_from, valid_to) FROM reader_binding AS binding
        WHERE binding.reader_id = asked.reader_id ORDER BY valid_from
    ) AS bindings,
    ARRAY(
        SELECT ROW(source, suspect, state::text) FROM reader_clock AS clock
        WHERE clock.reader_id = asked.reader_id ORDER BY source FOR UPDATE
    ) AS clocks,
    CASE WHEN asked.reader_id = ANY ($2) THEN ARRAY(
        SELECT ROW(target_id, min(release_time), max(release_time)) FROM shot
        WHERE NOT is_settled AND status <> 'voided' AND deadline <= $3
            AND target_id IN (
                SELECT target_id FROM reader_binding AS binding
                WHERE binding.reader_id = asked.reader_id
            )
        GROUP BY target_id
    ) END AS unsettled
FROM unnest($1::uuid[]) AS asked (reader_id)
"""


@dataclass(frozen=True, slots=True)
class KnownReaders:
    """What is known of some readers.

    Args:
        bindings: Where they were, and when.
        clocks: How far their clocks are from ours, as far as anything was measured.
        unsettled: The targets with shots that a witness among them can decide, and when those were
            released.
    """

    bindings: Bindings
    clocks: Mapping[ClockKey, KnownClock]
    unsettled: Mapping[UUID, Span]


async def lock_readers(
    conn: Connection,
    readers: Collection[UUID],
    witnesses: Collection[UUID] = (),
    as_of: int = 0,
) -> KnownReaders:
    """What is known of some readers; nobody else changes their clocks until the transaction ends.

    Args:
        conn: In a transaction.
        readers: Which.
        witnesses: Those of them whose word tells whether a landing was missed.
        as_of: Now, microseconds.
    """
    # In one order for all, so that two workers do not lock each other out.
    asked = sorted(readers), list(witnesses), instant(as_of)
    rows = await conn.fetch(KNOWN_READER_LOCK, *asked)
    return KnownReaders(
        Bindings({row["reader_id"]: list(map(bound_of, row["bindings"])) for row in rows}),
        {
            (row["reader_id"], Source(source)): clock_of(state, suspect)
            for row in rows
            for source, suspect, state in row["clocks"]
        },
        {
            target: Span(microseconds(begins), microseconds(ends))
            for row in rows
            for target, begins, ends in row["unsettled"] or ()
        },
    )
