"""Ends: a judge's, or those that the arrows of a butt fill."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from core.errors import ConflictError, InvalidInputError
from core.schema.session import Session
from core.schema.types import EARLIEST, Boundary, Instant, Ordinal, rfc3339


class EndOpen(Boundary):
    """An end to be opened."""

    number: Ordinal | None = Field(None, description="Null: the one after the last before it")
    opened_at: Instant | None = Field(None, description="In the past; null: now")
    closed_at: Instant | None = Field(
        None, description="When it is over already, so that it lies between others"
    )


class EndClose(Boundary):
    """An end to be closed."""

    closed_at: Instant | None = Field(None, description="In the past; null: now")


class EndUpdate(Boundary):
    """What is to change of an end; what is left out stays. A `closed_at` of null opens it again."""

    opened_at: Instant = EARLIEST
    closed_at: Instant | None = None


class End(Boundary):
    """An end: `opened_at` belongs to it, `closed_at` no longer does."""

    id: UUID
    session_id: UUID
    target_id: UUID | None = Field(description="Null: it is the whole session's")
    number: int
    control: Literal["auto", "manual"]
    opened_at: Instant
    closed_at: Instant | None = Field(description="Null: it is open")
    opened_by: str | None = Field(description="The name of a judge's token; null: the count")
    closed_by: str | None
    changed_by: str | None = Field(description="Who changed its times last, if anyone did")
    changed_at: Instant | None
    created_at: Instant
    updated_at: Instant


@dataclass(frozen=True, slots=True)
class Bounds:
    """A judge's end, as it is to be.

    Args:
        number: From 1, growing with time.
        opened_at: Its first instant.
        closed_at: The first instant after it; None: it is open.
    """

    number: int
    opened_at: datetime
    closed_at: datetime | None


def check_judged(session: Session) -> None:
    """Refuse what a judge does to the ends of a session in which no judge does that.

    Raises:
        ConflictError: It has no rule about ends, or ends by the count of arrows.
    """
    if session.rules.arrows_per_end is None:
        raise ConflictError(
            "session.rules.arrows_per_end: is not set, so that no rule about ends applies"
        )
    if session.rules.end_control != "manual":
        raise ConflictError(
            "session.rules.end_control: is auto, so that arrows open and close the ends by their "
            "count; make it manual first"
        )


def next_number(others: Iterable[End], opened_at: datetime) -> int:
    """The number of an end that is opened then, when nobody gives it one."""
    return 1 + max((end.number for end in others if end.opened_at <= opened_at), default=0)


def check_bounds(wish: Bounds, others: Sequence[End], session: Session, now: datetime) -> None:
    """Refuse an end that cannot be.

    Args:
        wish: The end.
        others: The judges' other ends of the session.
        session: The session.
        now: Nobody opens or closes an end ahead of time.

    Raises:
        InvalidInputError: A time lies outside the session or ahead, or it ends before it begins.
        ConflictError: It would overlap another, or has the number of another or one too high.
    """
    _check_time("opened_at", wish.opened_at, session, now)
    if wish.closed_at is not None:
        _check_time("closed_at", wish.closed_at, session, now)
        if wish.closed_at < wish.opened_at:
            raise InvalidInputError("body.closed_at", "must not lie before opened_at")
    ends = session.rules.ends
    if ends is not None and wish.number > ends:
        raise ConflictError(f"body.number: is {wish.number}, and the session has {ends} ends")
    for other in others:
        if other.number == wish.number:
            raise ConflictError(f"body.number: end {other.number} exists already")
        if other.number < wish.number:
            _check_follows(wish, other)
        else:
            _check_precedes(wish, other)


def _check_time(name: str, at: datetime, session: Session, now: datetime) -> None:
    if at > now:
        raise InvalidInputError(f"body.{name}", f"must not lie ahead: it is {rfc3339(now)}")
    if at < session.start_time or (session.end_time is not None and at > session.end_time):
        raise InvalidInputError(f"body.{name}", "must lie within the session's start and end")


def _check_follows(wish: Bounds, earlier: End) -> None:
    if earlier.closed_at is None:
        raise ConflictError(f"end {earlier.number}: is open; close it first")
    if wish.opened_at < earlier.closed_at:
        closed_at = rfc3339(earlier.closed_at)
        raise ConflictError(f"body.opened_at: end {earlier.number} was closed at {closed_at}")


def _check_precedes(wish: Bounds, later: End) -> None:
    opened_at = rfc3339(later.opened_at)
    if wish.closed_at is None:
        raise ConflictError(f"body.closed_at: end {later.number} was opened at {opened_at}")
    if wish.closed_at > later.opened_at:
        raise ConflictError(f"body.closed_at: end {later.number} was opened at {opened_at}")
