"""What a judge does to a session's ends: checked, written, and asked to be derived anew."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import Depends

from api.dependencies import ConnectionOf, JudgeOnly
from api.recompute import Recomputation, RecomputationOf
from core.errors import ConflictError
from core.models.end import (
    change_end,
    close_end,
    delete_end,
    open_end,
    select_end,
    select_judged_ends,
)
from core.models.session import SESSIONS, select_targets_of_session
from core.postgres import Connection
from core.schema.end import (
    Bounds,
    End,
    EndClose,
    EndOpen,
    EndUpdate,
    check_bounds,
    check_judged,
    next_number,
)
from core.schema.session import Session

# The last instant of an end, so that the end as a whole is looked at.
INSTANT = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Ending:
    """A judge at the ends of a session; each call is one transaction.

    Args:
        conn: The request's.
        recomputation: Asks for the shots that it touches.
        judge: The judge's token; None: that of the environment.
        now: When.
    """

    conn: Connection
    recomputation: Recomputation
    judge: UUID | None
    now: datetime

    async def open(self, session_id: UUID, wish: EndOpen) -> End:
        """Open an end.

        Raises:
            NotFoundError: There is no such session.
            InvalidInputError: A time cannot be.
            ConflictError: Another end is in the way, or no judge opens ends here.
        """
        async with self.conn.transaction():
            session, others = await self._locked(session_id)
            opened_at = wish.opened_at or self.now
            number = wish.number or next_number(others, opened_at)
            bounds = Bounds(number, opened_at, wish.closed_at)
            check_bounds(bounds, others, session, self.now)
            made = await open_end(self.conn, session_id, bounds, self.judge)
            await self._ask(made, opened_at, others)
        await self.recomputation.wake()
        return made

    async def close(self, end_id: UUID, wish: EndClose) -> End:
        """Close an end.

        Raises:
            NotFoundError: There is no such end.
            InvalidInputError: The time cannot be.
            ConflictError: It is closed, or the next one was opened before.
        """
        async with self.conn.transaction():
            end, session, others = await self._held(end_id)
            closed_at = wish.closed_at or min(self.now, session.end_time or self.now)
            bounds = Bounds(end.number, end.opened_at, closed_at)
            if end.closed_at is None:
                check_bounds(bounds, others, session, self.now)
            closed = await close_end(self.conn, end, bounds, self.judge)
            await self._ask(closed, closed_at - INSTANT, others)
        await self.recomputation.wake()
        return closed

    async def change(self, end_id: UUID, wish: EndUpdate) -> tuple[End, End]:
        """Change an end's times; how it was, and how it is.

        Raises:
            NotFoundError: There is no such end.
            InvalidInputError: A time cannot be.
            ConflictError: Another end is in the way.
        """
        async with self.conn.transaction():
            end, session, others = await self._held(end_id)
            given = wish.model_dump(exclude_unset=True)
            opened_at = given.get("opened_at", end.opened_at)
            bounds = Bounds(end.number, opened_at, given.get("closed_at", end.closed_at))
            check_bounds(bounds, others, session, self.now)
            changed = await change_end(self.conn, end, bounds, self.judge)
            if changed != end:
                await self._ask(changed, min(end.opened_at, opened_at), others)
        await self.recomputation.wake()
        return end, changed

    async def delete(self, end_id: UUID) -> End:
        """Take back the last end; how it was.

        Raises:
            NotFoundError: There is no such end.
            ConflictError: It is not the last.
        """
        async with self.conn.transaction():
            end, _, others = await self._held(end_id)
            last = max((other.number for other in others), default=0)
            if end.number < last:
                raise ConflictError(
                    f"end {end.number}: cannot be deleted: end {last} follows it; delete that first"
                )
            await delete_end(self.conn, end_id)
            await self._ask(end, end.opened_at, others)
        await self.recomputation.wake()
        return end

    async def _locked(self, session_id: UUID) -> tuple[Session, list[End]]:
        """The session, whose ends nobody else changes meanwhile, and its ends."""
        session = await SESSIONS.locked(self.conn, session_id)
        check_judged(session)
        return session, await select_judged_ends(self.conn, session_id)

    async def _held(self, end_id: UUID) -> tuple[End, Session, list[End]]:
        """A judge's end, its session, and the session's other ends."""
        session_id = (await select_end(self.conn, end_id)).session_id
        session, ends = await self._locked(session_id)
        end = await select_end(self.conn, end_id)
        if end.control != "manual":
            raise ConflictError(f"end {end.number}: was opened by the count of the arrows")
        return end, session, [other for other in ends if other.id != end_id]

    async def _ask(self, end: End, since: datetime, others: Sequence[End]) -> None:
        """Have the shots from here on derived anew, up to the next end."""
        until = min((o.opened_at for o in others if o.number > end.number), default=None)
        targets = await select_targets_of_session(self.conn, end.session_id)
        await self.recomputation.ask(self.conn, targets, since=since, until=until)


async def get_ending(
    conn: ConnectionOf, recomputation: RecomputationOf, judge: JudgeOnly
) -> Ending:
    """For this request. Times are whole milliseconds, as they are shown."""
    now = datetime.now(UTC)
    whole = now.replace(microsecond=now.microsecond // 1000 * 1000)
    return Ending(conn, recomputation, judge.token_id, whole)


EndingOf = Annotated[Ending, Depends(get_ending)]
