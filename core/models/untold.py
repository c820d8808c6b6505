"""Shots that were written and of which viewers were not told since: a row for each write, which is
made with it and goes once they were told."""

from collections.abc import Collection, Sequence
from uuid import UUID

from msgspec import Struct

from core.models.instants import instant
from core.postgres import Connection

UNTOLD_LOCK = """
SELECT id, shot_ids FROM untold WHERE written_at < $1 AND id > $3
ORDER BY id LIMIT $2
FOR UPDATE SKIP LOCKED
"""
UNTOLD_COUNT = """
SELECT coalesce(sum(cardinality(shot_ids)), 0) FROM untold WHERE written_at < $1
"""
UNTOLD_DELETE = "DELETE FROM untold WHERE id = ANY ($1)"


class Untold(Struct, frozen=True):
    """What one write left to be told.

    Args:
        id: The row's.
        shot_ids: The shots that viewers see changed.
    """

    id: int
    shot_ids: Sequence[UUID]


async def lock_untold(conn: Connection, before: int, limit: int, after_id: int = 0) -> list[Untold]:
    """The oldest of what was written before a time and that nobody else is about to tell.

    Args:
        conn: In the transaction that tells it.
        before: The time, microseconds.
        limit: How many at most.
        after_id: Of the rows behind this one.
    """
    rows = await conn.fetch(UNTOLD_LOCK, instant(before), limit, after_id)
    return [Untold(row["id"], row["shot_ids"]) for row in rows]


async def count_untold(conn: Connection, before: int) -> int:
    """How many shots were written before this time and not told of, each as often as it was
    written."""
    count: int = await conn.fetchval(UNTOLD_COUNT, instant(before))
    return count


async def delete_untold(conn: Connection, ids: Collection[int]) -> None:
    """Viewers were told."""
    await conn.execute(UNTOLD_DELETE, list(ids))
