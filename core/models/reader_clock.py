"""Readers' clocks: how far each is from ours, and what the next message is held against."""

from collections.abc import Mapping
from enum import StrEnum
from uuid import UUID

from msgspec import Struct
from msgspec.json import Decoder

from core.domain.clock import Clock, Suspicion
from core.domain.values import MILLISECOND
from core.models.instants import optional_instant
from core.postgres import Connection

# A reader's own words are believed before those of a gateway: 'reader' sorts after 'gateway'.
CLOCK_COUNT_SUSPECTS = """
SELECT suspect, count(*) FROM (
    SELECT DISTINCT ON (clock.reader_id) clock.suspect
    FROM reader_clock AS clock
    JOIN reader ON reader.id = clock.reader_id AND reader.retired_at IS NULL
    WHERE clock.offset_ms IS NOT NULL AND clock.reader_id IN (
        SELECT reader_id FROM reader_clock WHERE suspect IS NOT NULL
    )
    ORDER BY clock.reader_id, clock.source DESC
) AS shown
WHERE suspect IS NOT NULL GROUP BY suspect
"""

_CLOCK = Decoder(Clock)


class Source(StrEnum):
    """Whose words a clock was measured from."""

    READER = "reader"
    GATEWAY = "gateway"


type ClockKey = tuple[UUID, Source]


class KnownClock(Struct, frozen=True):
    """A reader's clock as it is kept.

    Args:
        clock: What is known of it.
        suspect: Why an operator was told to look at it; None: there was no reason.
    """

    clock: Clock
    suspect: Suspicion | None = None


def clock_of(state: str, suspect: str | None) -> KnownClock:
    """A row of the table, of which the state is JSON."""
    reason = None if suspect is None else Suspicion(suspect)
    return KnownClock(_CLOCK.decode(state), reason)


def columns_of_clocks(clocks: Mapping[ClockKey, KnownClock]) -> list[list[object]]:
    """The table's columns, of some clocks."""
    # In one order for all: two workers that see a reader for the first time wait for each other.
    keys = sorted(clocks)
    known = [clocks[key] for key in keys]
    offsets = [each.clock.offset for each in known]
    return [
        [reader_id for reader_id, _ in keys],
        [source for _, source in keys],
        [None if offset is None else offset / MILLISECOND for offset in offsets],
        [optional_instant(each.clock.measured_at) for each in known],
        [each.suspect for each in known],
        [optional_instant(each.clock.jumped_at) for each in known],
        [each.clock for each in known],
    ]


async def count_suspects(conn: Connection) -> dict[Suspicion, int]:
    """How many readers' clocks an operator should look at, by the reason."""
    rows = await conn.fetch(CLOCK_COUNT_SUSPECTS)
    counted = {Suspicion(row["suspect"]): row["count"] for row in rows}
    return {reason: counted.get(reason, 0) for reason in Suspicion}
