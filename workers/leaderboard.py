"""Ranks, worked out at most once a second for a session; only the rows that changed are told."""

from datetime import UTC, datetime
from uuid import UUID

from core.domain.ranking import criteria
from core.errors import NotFoundError
from core.feed import Frame, written
from core.models.session import select_session
from core.models.standing import with_names
from core.models.standing_rank import note_ranks, select_new_ranks
from core.schema.leaderboard import Place, row_of
from workers.deps import Deps
from workers.following import ranking

# What a viewer is told at once, so in a second: while hundreds begin, each arrow moves most.
ROWS_AT_ONCE = 100


async def leaderboard(deps: Deps, session_id: str) -> None:
    """Rank a session's slots anew and tell its viewers which rows changed; when those are very
    many, the rest a second later."""
    session = UUID(session_id)
    async with deps.pool.acquire() as conn, conn.transaction():
        try:
            round_of = await select_session(conn, session)
        except NotFoundError:
            # It was deleted since, with nothing that viewers would be told of.
            return
        order = criteria(is_indoor=round_of.is_indoor, round_code=round_of.round_code)
        new = await select_new_ranks(conn, session, order, ROWS_AT_ONCE + 1)
        changed = await note_ranks(conn, new[:ROWS_AT_ONCE])
        if len(new) > ROWS_AT_ONCE:
            await deps.queue.enqueue_all(ranking([session], datetime.now(UTC)))
        if not changed:
            return
        ranked = {each.ranked.tally.slot_id: each.ranked for each in new}
        named = await with_names(conn, {slot: ranked[slot].tally for slot in changed})
        places = [Place(ranked[standing.tally.slot_id], standing) for standing in named]
        shown = [written(row_of(place)) for place in sorted(places, key=lambda each: each.order)]
        # Before the commit: told twice does no harm, not told would last until the next arrow.
        await deps.feed.publish([Frame(session, "leaderboard.updated", {"leaderboard": shown})])
