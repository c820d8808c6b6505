"""Ranks, worked out at most once a second for a session; only the rows that changed are told."""

import random
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from uuid import UUID

from core.domain.ranking import Ranked, criteria, rank
from core.feed import Frame, written
from core.models.session import select_session
from core.models.standing import select_tallies, with_names
from core.models.standing_rank import note_ranks, select_ranks, select_untold
from core.postgres import Connection
from core.schema.leaderboard import Place, row_of
from workers.deps import Deps
from workers.following import ranking

# What a viewer is told at once, so in a second: while hundreds begin, each arrow moves most.
ROWS_AT_ONCE = 100
# Whoever is still to be told of is looked for for so long after the last ones that were.
LEFT_FOR_S = 600


def left_key(session_id: UUID) -> str:
    """Stands while there are rows that a session's viewers are told with the next ones."""
    return f"quiver:leaderboard:left:{session_id}"


async def leaderboard(deps: Deps, session_id: str) -> None:
    """Rank a session's slots anew and tell its viewers which rows changed; when those are very
    many, the rest a second later."""
    session = UUID(session_id)
    async with deps.pool.acquire() as conn, conn.transaction():
        untold = await select_untold(conn, session)
        if not untold and not await deps.valkey.exists(left_key(session)):
            return
        ranked = await _ranked(conn, session)
        new = await _new(conn, session, ranked, untold)
        changed = await note_ranks(conn, session, new[:ROWS_AT_ONCE], untold)
        await _note_left(deps, session, len(new) > ROWS_AT_ONCE)
        if not changed:
            return
        named = await with_names(conn, {slot: ranked[slot].tally for slot in changed})
        places = [Place(ranked[standing.tally.slot_id], standing) for standing in named]
        shown = [written(row_of(place)) for place in sorted(places, key=lambda each: each.order)]
        # Before the commit: told twice does no harm, not told would last until the next arrow.
        await deps.feed.publish([Frame(session, "leaderboard.updated", {"leaderboard": shown})])


async def _ranked(conn: Connection, session: UUID) -> dict[UUID, Ranked]:
    """Everybody's place, by slot."""
    round_of = await select_session(conn, session)
    order = criteria(is_indoor=round_of.is_indoor, round_code=round_of.round_code)
    return {each.tally.slot_id: each for each in rank(await select_tallies(conn, session), order)}


async def _new(
    conn: Connection, session: UUID, ranked: Mapping[UUID, Ranked], untold: Collection[UUID]
) -> list[Ranked]:
    """What viewers do not know: first whose sums changed, then whom others' shots moved."""
    told = await select_ranks(conn, session)
    moved = [
        each
        for slot, each in ranked.items()
        if slot not in untold and told.get(slot) != (each.rank, each.is_tied)
    ]
    # Nobody is always among those who are left.
    random.shuffle(moved)
    return [*(ranked[slot] for slot in untold if slot in ranked), *moved]


async def _note_left(deps: Deps, session: UUID, is_left: bool) -> None:
    """Have the rest told in the next second, if there is one."""
    if not is_left:
        await deps.valkey.delete(left_key(session))
        return
    await deps.valkey.set(left_key(session), b"1", ex=LEFT_FOR_S)
    await deps.queue.enqueue_all(ranking([session], datetime.now(UTC)))
