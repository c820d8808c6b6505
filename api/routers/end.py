"""Ends: opened and closed by a judge, or by the count of the arrows."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from api.announcement import AnnouncementOf
from api.dependencies import DEFAULT, After, Caller, ConnectionOf, PageLimit
from api.ending import EndingOf
from api.visibility import visible_session
from core.models.end import select_end, select_ends
from core.schema.end import End, EndClose, EndOpen, EndUpdate
from core.schema.envelope import Envelope, wrap
from core.schema.page import Page, Position, page_of

router = APIRouter(prefix="/api/v0", tags=["end"])


@router.get("/session/{session_id}/end")
async def list_ends(
    session_id: UUID,
    conn: ConnectionOf,
    caller: Caller,
    after: After,
    *,
    limit: PageLimit = DEFAULT,
    target_id: Annotated[UUID | None, Query(description="Only those that concern it")] = None,
) -> Envelope[Page[End]]:
    """A session's ends in the order of their opening and id.

    With `end_control` manual: those that judges opened, each for the whole session. With auto:
    those that the arrows fill by their count, each of one target; such an end opens with the first
    release of it at the target, and closes when everyone who shoots there has shot its arrows and
    they are decided. Without `arrows_per_end` there are none. No token is needed while the
    session's results are public.
    """
    session = await visible_session(conn, session_id, caller)
    ends = await select_ends(conn, session, after, limit, target_id)
    return wrap(page_of(ends, limit, lambda end: Position(end.opened_at, end.id)))


@router.get("/end/{end_id}")
async def get_end(end_id: UUID, conn: ConnectionOf, caller: Caller) -> Envelope[End]:
    """An end, visible to whoever may see its session's results."""
    end = await select_end(conn, end_id)
    await visible_session(conn, end.session_id, caller)
    return wrap(end)


@router.post("/session/{session_id}/end")
async def post_end(
    session_id: UUID, ending: EndingOf, announcement: AnnouncementOf, wish: EndOpen = EndOpen()
) -> Envelope[End]:
    """Open an end, now or at a time in the past; for judges and admins.

    Arrows belong to the end that their release falls in, however late they are reported, so what
    was shot since then is derived anew. An arrow released in no end is flagged `out_of_end` and
    does not count until a judge rules its score. 409 while another end is open, and in a session
    whose `end_control` is auto.
    """
    end = await ending.open(session_id, wish)
    await announcement.end_turned(end)
    return wrap(end)


@router.post("/end/{end_id}/close")
async def post_end_close(
    end_id: UUID, ending: EndingOf, announcement: AnnouncementOf, wish: EndClose = EndClose()
) -> Envelope[End]:
    """Close an end, now or at a time in the past; for judges and admins.

    What was released in it may still land, and counts.
    """
    end = await ending.close(end_id, wish)
    await announcement.end_turned(end)
    return wrap(end)


@router.patch("/end/{end_id}")
async def patch_end(
    end_id: UUID, wish: EndUpdate, ending: EndingOf, announcement: AnnouncementOf
) -> Envelope[End]:
    """Put an end's times right; for judges and admins. The answer says who did so last.

    A `closed_at` of null opens it again. Viewers are told of it as it then is.
    """
    before, after = await ending.change(end_id, wish)
    if before != after:
        await announcement.end_turned(after)
    return wrap(after)


@router.delete("/end/{end_id}")
async def remove_end(
    end_id: UUID, ending: EndingOf, announcement: AnnouncementOf
) -> Envelope[None]:
    """Take back the session's last end; for judges and admins.

    What was shot in it is `out_of_end` then. When it was open, viewers are told that it closed as
    it opened: nothing was shot in it.
    """
    gone = await ending.delete(end_id)
    if gone.closed_at is None:
        await announcement.end_turned(gone.model_copy(update={"closed_at": gone.opened_at}))
    return wrap(None)
