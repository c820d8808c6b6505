"""The review list: what a judge must look at."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from api.dependencies import DEFAULT, After, ConnectionOf, JudgeOnly, PageLimit
from core.domain.review import Reason
from core.models.review import select_review
from core.models.session import select_session
from core.schema.envelope import Envelope, wrap
from core.schema.page import Page, Position, page_of
from core.schema.review import ReviewRow

router = APIRouter(prefix="/api/v0", tags=["review"])


@router.get("/session/{session_id}/review")
async def list_review(
    session_id: UUID,
    conn: ConnectionOf,
    _: JudgeOnly,
    after: After,
    *,
    limit: PageLimit = DEFAULT,
    target_id: Annotated[UUID | None, Query(description="Only what is of this target")] = None,
    slot_id: Annotated[UUID | None, Query(description="Only what is of this slot")] = None,
    reason: Annotated[Reason | None, Query(description="Only what has this reason")] = None,
) -> Envelope[Page[ReviewRow]]:
    """What a judge must look at in a session, in the order of time and id; for judges and admins.

    - `shot`: unresolved, or with a flag that may change its score. A shot that is only
      `engage_missing` or `arrow_unknown` is listed when that `reason` is asked for. Voided shots
      and those that a judge has ruled on are not listed.
    - `landing`: something hit the butt that is no shot's, and the time in which its release could
      still come is over. Reports of one impact are one row.
    - `event`: a release or a landing without a place, so that it makes no shot: outside the
      session's start and end, or of a reader that was bound to nothing. The latter is listed in the
      session that its reader was bound in just before or just after, within a day of the session.
    """
    session = await select_session(conn, session_id)
    rows = await select_review(
        conn, session.id, after, limit, target_id=target_id, slot_id=slot_id, reason=reason
    )
    return wrap(page_of(rows, limit, lambda row: Position(row.at, row.id)))
