"""Leaderboards: who stands where."""

from collections.abc import Sequence
from uuid import UUID

from fastapi import APIRouter

from api.dependencies import Caller, ConnectionOf
from api.snapshot import read_leaderboard
from api.visibility import visible_session
from core.schema.envelope import Envelope, wrap
from core.schema.leaderboard import LeaderboardRow

router = APIRouter(prefix="/api/v0", tags=["leaderboard"])


@router.get("/session/{session_id}/leaderboard")
async def get_leaderboard(
    session_id: UUID, conn: ConnectionOf, caller: Caller
) -> Envelope[Sequence[LeaderboardRow]]:
    """All slots of a session as its round ranks them, those that have not shot yet with zeros.

    Equals share a rank and are marked as tied. No token is needed while results are public.
    """
    session = await visible_session(conn, session_id, caller)
    return wrap(await read_leaderboard(conn, session))
