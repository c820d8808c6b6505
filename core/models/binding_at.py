"""The place of a reader at a time, for events on their way."""

from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from core.domain.window import Span
from core.models.instants import FOREVER, instant, microseconds
from core.models.shared import shared, shared_if_any
from core.postgres import Connection

# A reader is at one place at a time, so what matters from some time on ($2) begins with the last
# binding that began before. What is older are a club's sessions of years.
SINCE_THE_LAST_BEFORE = """valid_from >= (
    SELECT coalesce(max(valid_from), '-infinity') FROM reader_binding AS before
    WHERE before.reader_id = asked.reader_id AND before.valid_from <= $2
)"""

BINDING_SELECT_OF_READERS = (
    """
SELECT asked.reader_id, target_id, slot_id, valid_from, valid_to
FROM unnest($1::uuid[]) AS asked (reader_id)
CROSS JOIN LATERAL (
    SELECT * FROM reader_binding
    WHERE reader_id = asked.reader_id AND """
    + SINCE_THE_LAST_BEFORE
    + """
    OFFSET 0
) AS binding
ORDER BY asked.reader_id, valid_from
"""
)


BINDING_SELECT_WATCHING = """
SELECT DISTINCT binding.reader_id, binding.target_id
FROM reader_binding AS binding
JOIN reader ON reader.id = binding.reader_id AND reader.kind = 'target'
JOIN unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[]) AS shot (target_id, begins, ends)
    ON shot.target_id = binding.target_id
    AND binding.valid_from <= shot.ends AND binding.valid_to >= shot.begins
"""


class Bound(Struct, frozen=True):
    """A reader's time at a place, in microseconds: from `begin`, and before `end`.

    Args:
        target_id: The butt.
        slot_id: The archer's place there, when it is bound to one.
        begin: The first instant.
        end: The first instant after it.
    """

    target_id: UUID
    slot_id: UUID | None
    begin: int
    end: int


class Bindings(Struct, frozen=True):
    """Where each of some readers was, and when.

    Args:
        of_reader: In their order; the first may have begun, and even ended, before `since`.
        since: From when on all of them are known, microseconds.
    """

    of_reader: dict[UUID, list[Bound]]
    since: int = -FOREVER

    def place(self, reader_id: UUID, at: int) -> Bound | None:
        """Where the reader was bound at a time from `since` on; None: to nothing."""
        for bound in self.of_reader.get(reader_id, []):
            if bound.begin <= at < bound.end:
                return bound
        return None

    def targets(self, reader_id: UUID) -> set[UUID]:
        """Every butt that the reader was bound to since, and the one before that."""
        return {bound.target_id for bound in self.of_reader.get(reader_id, [])}

    def targets_between(self, reader_id: UUID, begin: int, end: int) -> set[UUID]:
        """Every butt that the reader was bound to at any time of these, from `since` on,
        microseconds."""
        history = self.of_reader.get(reader_id, [])
        return {bound.target_id for bound in history if bound.begin <= end and bound.end > begin}


# Target, slot, begin and end.
type BindingRow = tuple[UUID, UUID | None, datetime, datetime]


def bound_of(row: BindingRow) -> Bound:
    """A row of the table."""
    target_id, slot_id, valid_from, valid_to = row
    return Bound(
        shared(target_id),
        shared_if_any(slot_id),
        microseconds(valid_from),
        microseconds(valid_to),
    )


async def select_bindings(
    conn: Connection, readers: Collection[UUID], since: int = -FOREVER
) -> Bindings:
    """The histories of some readers' places.

    Args:
        conn: Where to read.
        readers: Which.
        since: Where they were before is not wanted, microseconds.
    """
    rows = await conn.fetch(BINDING_SELECT_OF_READERS, list(readers), instant(since))
    found: dict[UUID, list[Bound]] = {}
    for reader_id, *row in rows:
        found.setdefault(reader_id, []).append(bound_of(tuple(row)))
    return Bindings(found, since)


async def select_watching(conn: Connection, spans: Mapping[UUID, Span]) -> dict[UUID, set[UUID]]:
    """The readers that report what lands on some targets, each with those of them.

    Args:
        conn: Where to read.
        spans: The targets, and when each reader was there for at least a moment.
    """
    found: dict[UUID, set[UUID]] = {}
    rows = await conn.fetch(
        BINDING_SELECT_WATCHING,
        list(spans),
        [instant(span.begin) for span in spans.values()],
        [instant(span.end) for span in spans.values()],
    )
    for row in rows:
        found.setdefault(row["reader_id"], set()).add(row["target_id"])
    return found
