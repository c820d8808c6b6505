"""Rulings: what judges say of shots, landings and places."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from api.dependencies import DEFAULT, After, ConnectionOf, JudgeOnly, PageLimit
from api.judging import JudgingOf
from core.models.ruling import select_ruling, select_rulings
from core.models.session import select_session
from core.schema.envelope import Envelope, wrap
from core.schema.page import Page, Position, page_of
from core.schema.ruling import (
    LandingRulingWish,
    Ruling,
    SessionRulingWish,
    ShotRulingWish,
    UndoWish,
)

router = APIRouter(prefix="/api/v0", tags=["ruling"])


@router.post("/shot/{shot_id}/ruling")
async def post_shot_ruling(
    shot_id: UUID, wish: ShotRulingWish, judging: JudgingOf
) -> Envelope[Ruling]:
    """Rule on a shot; for judges and admins. What is ruled stands whatever events still come.

    - `score`: what it counts, whatever was measured.
    - `assign_landing`: which landing is its, or none: a miss. The shot that had this landing before
      is given another one, or none, by the usual rules.
    - `void`: it does not count.
    - `move`: it is another archer's, and is valued anew for them. It stays at its target.
    - `restore`: every ruling on it is taken back.

    The shot changes a moment later, and viewers are told with this request's id.
    """
    return wrap(await judging.on_shot(shot_id, wish))


@router.post("/landing/{landing_event_id}/ruling")
async def post_landing_ruling(
    landing_event_id: UUID, wish: LandingRulingWish, judging: JudgingOf
) -> Envelope[Ruling]:
    """Rule on something that hit a butt, as the review list shows it; for judges and admins.

    - `give`: it is this shot's landing.
    - `shot`: it is an archer's arrow whose release no reader saw, and becomes a shot of its own.
    - `dismiss`: it is nobody's, and leaves the review list. When a release comes that it fits, it
      is that one's all the same.
    """
    return wrap(await judging.on_landing(landing_event_id, wish))


@router.post("/session/{session_id}/ruling")
async def post_session_ruling(
    session_id: UUID, wish: SessionRulingWish, judging: JudgingOf
) -> Envelope[Ruling]:
    """Swap two places at one target; for judges and admins.

    What the readers of one say counts for the other and the other way round, for shots released
    from `since` on and before `until`, also for those to come. A shot that was moved stays where it
    was moved to.
    """
    return wrap(await judging.on_session(session_id, wish))


@router.post("/ruling/{ruling_id}/undo")
async def post_undo(ruling_id: UUID, wish: UndoWish, judging: JudgingOf) -> Envelope[Ruling]:
    """Take a ruling back; for judges and admins. Its shots become what they are without it.

    Taking a `restore` back puts the rulings in force again that it had taken back.
    """
    return wrap(await judging.undo(ruling_id, wish.reason))


@router.get("/ruling/{ruling_id}")
async def get_ruling(ruling_id: UUID, conn: ConnectionOf, _: JudgeOnly) -> Envelope[Ruling]:
    """A ruling, also one that was taken back; for judges and admins."""
    return wrap(await select_ruling(conn, ruling_id))


@router.get("/session/{session_id}/ruling")
async def list_rulings(
    session_id: UUID,
    conn: ConnectionOf,
    _: JudgeOnly,
    after: After,
    *,
    limit: PageLimit = DEFAULT,
    shot_id: Annotated[UUID | None, Query(description="Only those on this shot")] = None,
    stands: Annotated[
        bool | None, Query(description="Only those that stand, or that were taken back")
    ] = None,
) -> Envelope[Page[Ruling]]:
    """All rulings of a session in the order in which they were made; for judges and admins."""
    session = await select_session(conn, session_id)
    rulings = await select_rulings(conn, session.id, after, limit, shot_id=shot_id, stands=stands)
    return wrap(page_of(rulings, limit, lambda ruling: Position(ruling.made_at, ruling.id)))
