"""What operators did."""

from typing import Annotated

from fastapi import APIRouter, Query

from api.actions import list_actions
from api.dependencies import DEFAULT, ConnectionOf, PageLimit, ViewerOnly
from core.schema.admin import AdminAction
from core.schema.envelope import Envelope, wrap
from core.schema.page import Page

router = APIRouter(prefix="/api/v0/admin/action", tags=["admin"])


@router.get("")
async def get_actions(
    conn: ConnectionOf,
    _: ViewerOnly,
    limit: PageLimit = DEFAULT,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> Envelope[Page[AdminAction]]:
    """Who did what, to what, and when; the latest first."""
    return wrap(await list_actions(conn, cursor, limit))
