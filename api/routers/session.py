"""Sessions: when and where is shot, and by which rules."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

from fastapi import APIRouter

from api.announcement import AnnouncementOf
from api.dependencies import (
    DEFAULT,
    AdminOnly,
    After,
    Caller,
    ConnectionOf,
    PageLimit,
    ViewerOnly,
)
from api.recompute import RecomputationOf
from api.visibility import visible_session
from core.models.reader_binding import follow_start
from core.models.session import SESSIONS, clear_session, select_targets_of_session
from core.schema.envelope import Envelope, wrap
from core.schema.page import Page, Position, page_of
from core.schema.session import Session, SessionCreate, SessionUpdate, changed_session

router = APIRouter(prefix="/api/v0/session", tags=["session"])

# What shots depend on.
RELEVANT = {"start_time", "end_time", "rules", "distance", "is_indoor"}


@router.post("")
async def post_session(wish: SessionCreate, conn: ConnectionOf, _: AdminOnly) -> Envelope[Session]:
    """Make a session; it is open exactly when it has no `end_time`."""
    return wrap(await SESSIONS.create(conn, uuid4(), wish.model_dump()))


@router.get("")
async def list_sessions(
    conn: ConnectionOf,
    _: ViewerOnly,
    after: After,
    limit: PageLimit = DEFAULT,
    is_opened: bool | None = None,
) -> Envelope[Page[Session]]:
    """Sessions in the order of their creation and id."""
    rows = await SESSIONS.list(conn, after, limit, is_opened)
    return wrap(page_of(rows, limit, lambda row: Position(row.created_at, row.id)))


@router.get("/{session_id}")
async def get_session(session_id: UUID, conn: ConnectionOf, caller: Caller) -> Envelope[Session]:
    """A session; no token is needed while its results are public."""
    return wrap(await visible_session(conn, session_id, caller))


@router.patch("/{session_id}")
async def patch_session(
    session_id: UUID,
    wish: SessionUpdate,
    conn: ConnectionOf,
    _: AdminOnly,
    recomputation: RecomputationOf,
    announcement: AnnouncementOf,
) -> Envelope[Session]:
    """Change what is given of a session; shots that it touches are derived anew.

    `is_opened: false` without an `end_time` ends it now, `is_opened: true` opens it again. With an
    earlier `start_time`, readers that were bound from the start on are bound from the earlier one.
    """
    async with conn.transaction():
        before = await SESSIONS.locked(conn, session_id)
        values = changed_session(before, wish, datetime.now(UTC))
        after = await SESSIONS.change(conn, session_id, before, values)
        if before.model_dump(include=RELEVANT) != after.model_dump(include=RELEVANT):
            await follow_start(conn, session_id, before.start_time, after.start_time)
            await recomputation.ask(conn, await select_targets_of_session(conn, session_id))
    await recomputation.wake()
    if before.is_opened != after.is_opened:
        await announcement.turned(after)
    return wrap(after)


@router.delete("/{session_id}")
async def delete_session(session_id: UUID, conn: ConnectionOf, _: AdminOnly) -> Envelope[None]:
    """Delete a session in which no reader said anything, with its targets and slots.

    Its readers stay, bound to nothing.
    """
    async with conn.transaction():
        await SESSIONS.locked(conn, session_id)
        await clear_session(conn, session_id)
        await SESSIONS.remove(conn, session_id)
    return wrap(None)
