"""Sessions: when and where is shot, and by which rules."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

from fastapi import APIRouter

from api.dependencies import (
    DEFAULT,
    AdminOnly,
    After,
    Caller,
    ConnectionOf,
    FeedOf,
    PageLimit,
    RequestId,
    ViewerOnly,
)
from api.recompute import RecomputationOf
from api.visibility import visible_session
from core.feed import Frame
from core.models.session import SESSIONS, clear_session, select_session, select_targets_of_session
from core.schema.envelope import Envelope, wrap
from core.schema.page import Page, Position, page_of
from core.schema.session import Session, SessionCreate, SessionUpdate, changed_session

router = APIRouter(prefix="/api/v0/session", tags=["session"])

# What shots depend on.
RELEVANT = {"start_time", "end_time", "rules", "distance", "is_indoor", "round_code"}


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
    feed: FeedOf,
    request_id: RequestId,
) -> Envelope[Session]:
    """Change what is given of a session; shots that it touches are derived anew.

    `is_opened: false` without an `end_time` ends it now, `is_opened: true` opens it again.
    """
    targets: list[UUID] = []
    async with conn.transaction():
        before = await select_session(conn, session_id)
        values = changed_session(before, wish, datetime.now(UTC))
        after = await SESSIONS.change(conn, session_id, values)
        if before.model_dump(include=RELEVANT) != after.model_dump(include=RELEVANT):
            targets = await select_targets_of_session(conn, session_id)
            await recomputation.ask(conn, targets)
    await recomputation.wake(targets)
    if before.is_opened != after.is_opened:
        kind = "session.opened" if after.is_opened else "session.closed"
        data = {"session": after.model_dump(mode="json")}
        await feed.publish([Frame(session_id, kind, data, request_id=request_id)])
    return wrap(after)


@router.delete("/{session_id}")
async def delete_session(session_id: UUID, conn: ConnectionOf, _: AdminOnly) -> Envelope[None]:
    """Delete a session in which nothing was shot, with its targets and slots; its readers stay, unbound."""
    async with conn.transaction():
        await clear_session(conn, session_id)
        await SESSIONS.remove(conn, session_id)
    return wrap(None)
