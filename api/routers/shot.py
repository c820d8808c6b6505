"""Shots: what became of every arrow."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from api.dependencies import DEFAULT, After, Caller, ConnectionOf, PageLimit
from api.visibility import visible_session
from core.domain.values import Status
from core.models.shot import select_shot, select_shots
from core.schema.envelope import Envelope, wrap
from core.schema.page import Page, Position, page_of
from core.schema.shot import Shot

router = APIRouter(prefix="/api/v0", tags=["shot"])


@router.get("/session/{session_id}/shot")
async def list_shots(
    session_id: UUID,
    conn: ConnectionOf,
    caller: Caller,
    after: After,
    *,
    limit: PageLimit = DEFAULT,
    target_id: Annotated[UUID | None, Query(description="Only those at this target")] = None,
    slot_id: Annotated[UUID | None, Query(description="Only this slot's")] = None,
    status: Annotated[Status | None, Query(description="Only those that stand so")] = None,
) -> Envelope[Page[Shot]]:
    """A session's shots in the order of their release.

    No token is needed while the session's results are public.
    """
    session = await visible_session(conn, session_id, caller)
    shots = await select_shots(
        conn, session.id, after, limit, target_id=target_id, slot_id=slot_id, status=status
    )
    return wrap(page_of(shots, limit, lambda shot: Position(shot.release_time, shot.id)))


@router.get("/shot/{shot_id}")
async def get_shot(shot_id: UUID, conn: ConnectionOf, caller: Caller) -> Envelope[Shot]:
    """A shot as it stands, visible to whoever may see its session's results."""
    shot = await select_shot(conn, shot_id)
    await visible_session(conn, shot.session_id, caller)
    return wrap(shot)
