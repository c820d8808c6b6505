"""Ranks, worked out at most once a second for a session; only the rows that changed are told."""

from uuid import UUID

from core.domain.ranking import criteria
from core.feed import Frame, written
from core.models.session import select_session
from core.models.standing import select_leaderboard
from core.models.standing_rank import note_ranks, select_untold
from core.schema.leaderboard import places, row_of
from workers.deps import Deps


async def leaderboard(deps: Deps, session_id: str) -> None:
    """Rank a session's slots anew and tell its viewers which rows changed."""
    session = UUID(session_id)
    async with deps.pool.acquire() as conn, conn.transaction():
        untold = await select_untold(conn, session)
        if not untold:
            return
        round_of = await select_session(conn, session)
        order = criteria(is_indoor=round_of.is_indoor, round_code=round_of.round_code)
        ranked = places(await select_leaderboard(conn, session), order)
        ranks = {each.slot_id: (each.ranked.rank, each.ranked.is_tied) for each in ranked}
        changed = await note_ranks(conn, session, ranks, untold)
        if not changed:
            return
        shown = [written(row_of(each)) for each in ranked if each.slot_id in changed]
        # Before the commit: told twice does no harm, not told would last until the next arrow.
        await deps.feed.publish([Frame(session, "leaderboard.updated", {"leaderboard": shown})])
