"""What operators did, page by page."""

from core.models.admin_action import select_actions
from core.postgres import Connection
from core.schema.admin import AdminAction
from core.schema.page import Page, Position, decode_cursor, page_of


async def list_actions(conn: Connection, cursor: str | None, limit: int) -> Page[AdminAction]:
    """Who did what, the latest first.

    Raises:
        InvalidInputError: The cursor is none.
    """
    before = None if cursor is None else decode_cursor(cursor)
    found = await select_actions(conn, before, limit)
    return page_of(found, limit, lambda action: Position(action.at, action.id))
