"""Lists that come in pages, in the order of a time and an id."""

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from pydantic import Field

from core.errors import InvalidInputError
from core.schema.types import EARLIEST, LATEST, Boundary

DEFAULT_LIMIT = 100
LARGEST_LIMIT = 1000
LARGEST_MICROSECONDS = (LATEST - EARLIEST) // timedelta(microseconds=1)

type Limit = Annotated[int, Field(ge=1, le=LARGEST_LIMIT)]


class Page[T](Boundary):
    """A part of a list."""

    items: Sequence[T]
    next_cursor: str | None = Field(
        description="Give it as `cursor` for what follows; null: the end"
    )


@dataclass(frozen=True, slots=True)
class Position:
    """The place in a list after which a page begins.

    Args:
        at: The time that the list is ordered by.
        id: What decides between equal times.
    """

    at: datetime
    id: UUID


START = Position(EARLIEST, UUID(int=0))


def encode_cursor(position: Position) -> str:
    """An opaque text that `decode_cursor` takes."""
    microseconds = (position.at - EARLIEST) // timedelta(microseconds=1)
    packed = microseconds.to_bytes(8, "big") + position.id.bytes
    return base64.urlsafe_b64encode(packed).decode()


def decode_cursor(cursor: str | None) -> Position:
    """The position that a cursor stands for; the start of the list for None.

    Raises:
        InvalidInputError: The text is no cursor of ours.
    """
    if cursor is None:
        return START
    try:
        packed = base64.b64decode(cursor, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidInputError("query.cursor", "is not a cursor that this list gave") from error
    microseconds = int.from_bytes(packed[:8], "big")
    if len(packed) != 24 or microseconds > LARGEST_MICROSECONDS:
        raise InvalidInputError("query.cursor", "is not a cursor that this list gave")
    return Position(EARLIEST + timedelta(microseconds=microseconds), UUID(bytes=packed[8:]))


def page_of[T](rows: Sequence[T], limit: int, position: Callable[[T], Position]) -> Page[T]:
    """A page of at most `limit` rows, from a query that asked for one more than that."""
    items = rows[:limit]
    more = len(rows) > limit
    return Page(items=items, next_cursor=encode_cursor(position(items[-1])) if more else None)
