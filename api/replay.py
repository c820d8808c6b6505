"""Reading on in a session's buffer without ever missing that it has moved on."""

from uuid import UUID

from core.feed import Feed, Message

PAGE = 500


class Overtaken(Exception):
    """The buffer no longer holds everything after the cursor."""


async def read_page(feed: Feed, session_id: UUID, cursor: str) -> list[Message]:
    """What follows the cursor, oldest first; fewer than `PAGE` messages are all there are.

    Raises:
        Overtaken: Some of what followed the cursor may be missing.
    """
    page = await feed.since(session_id, cursor, PAGE)
    # Asked afterwards: what the buffer still holds now, it held when the page was read.
    if not await feed.holds(session_id, cursor):
        raise Overtaken(cursor)
    return page
