"""Start lists: a whole field set up at once."""

from uuid import UUID

from fastapi import APIRouter

from api.dependencies import AdminOnly, ConnectionOf
from api.recompute import RecomputationOf
from core.models.session import select_session
from core.models.start_list import set_up
from core.schema.envelope import Envelope, wrap
from core.schema.start_list import StartList, StartListMade

router = APIRouter(prefix="/api/v0/session", tags=["session"])


@router.post("/{session_id}/start_list")
async def post_start_list(
    session_id: UUID,
    wish: StartList,
    conn: ConnectionOf,
    _: AdminOnly,
    recomputation: RecomputationOf,
) -> Envelope[StartListMade]:
    """Set a whole field up, all or nothing.

    It makes an archer, bow, arrows and slot for each entry, a target for each lane, an arrow and a
    bow reader for each slot and a target reader for each target. All are bound from the session's
    start on. This answer is the only one that ever shows the readers' tokens.
    """
    async with conn.transaction():
        session = await select_session(conn, session_id)
        made = await set_up(conn, session, wish)
        tags = [arrow.id for entry in wish.entries for arrow in entry.arrows if arrow.id]
        await recomputation.ask_named(conn, tags)
    await recomputation.wake()
    return wrap(made)
