"""Rulings made and taken back: checked, kept, and the shots that they touch asked for anew."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import Depends

from api.case import Case, Finding, open_case
from api.dependencies import ConnectionOf, JudgeOnly, RequestId
from api.findings import find_on_landing, find_on_shot, slots_to_swap
from api.recompute import Recomputation, RecomputationOf
from core.domain.rulings import Action
from core.domain.window import Span
from core.errors import ConflictError
from core.models.instants import FIRST, LAST, instant, microseconds
from core.models.landing import select_landing
from core.models.ruling import (
    Author,
    NewRuling,
    insert_ruling,
    select_ruling,
    undo_by_restore,
    undo_ruling,
)
from core.models.session import select_session
from core.models.shot import select_shot, select_shots_of_slots
from core.postgres import Connection
from core.schema.ruling import LandingRulingWish, Ruling, SessionRulingWish, ShotRulingWish


@dataclass(frozen=True, slots=True)
class Judging:
    """A judge at work in one request; each of its methods is a transaction and wakes the workers
    after it.

    Args:
        conn: The request's connection.
        author: Who rules.
        recomputation: Asks for the shots anew.
    """

    conn: Connection
    author: Author
    recomputation: Recomputation

    async def on_shot(self, shot_id: UUID, wish: ShotRulingWish) -> Ruling:
        """Rule on a shot.

        Raises:
            NotFoundError: There is no such shot.
            ConflictError: The state of things does not allow it.
            InvalidInputError: There is no such score, landing or slot.
        """
        async with self.conn.transaction():
            case = await open_case(self.conn, (await select_shot(self.conn, shot_id)).target_id)
            shot = await select_shot(self.conn, shot_id)
            made = await self._keep(case, await find_on_shot(case, shot, wish))
        await self.recomputation.wake()
        return made

    async def on_landing(self, event_id: UUID, wish: LandingRulingWish) -> Ruling:
        """Rule on something that hit a butt.

        Raises:
            NotFoundError: There is no such landing.
            ConflictError: The state of things does not allow it.
            InvalidInputError: There is no such shot or slot.
        """
        async with self.conn.transaction():
            landing = await select_landing(self.conn, event_id)
            case = await open_case(self.conn, landing.target_id)
            made = await self._keep(case, await find_on_landing(case, landing.event, wish))
        await self.recomputation.wake()
        return made

    async def on_session(self, session_id: UUID, wish: SessionRulingWish) -> Ruling:
        """Give two archers at one butt each other's shots.

        Raises:
            NotFoundError: There is no such session.
            InvalidInputError: There are no such slots.
        """
        since, until = wish.since or FIRST, wish.until or LAST
        async with self.conn.transaction():
            session = await select_session(self.conn, session_id)
            one, other = await slots_to_swap(self.conn, wish.slot_ids, session.id)
            case = await open_case(self.conn, one.target_id)
            before = await select_shots_of_slots(
                self.conn, [one.id, other.id], case.target.id, since, until
            )
            new = NewRuling(
                session_id=session.id,
                target_id=case.target.id,
                action=Action.SWAP,
                reason=wish.reason,
                span=Span(microseconds(since), microseconds(until)),
                before=before,
                slot_id=one.id,
                other_slot_id=other.id,
            )
            made = await insert_ruling(self.conn, new, self.author)
            await self._ask(case, new.span)
        await self.recomputation.wake()
        return made

    async def undo(self, ruling_id: UUID, reason: str) -> Ruling:
        """Take a ruling back: its shots are as they would be without it.

        Raises:
            NotFoundError: There is no such ruling.
            ConflictError: It was taken back already.
        """
        async with self.conn.transaction():
            await open_case(self.conn, (await select_ruling(self.conn, ruling_id)).target_id)
            ruling = await select_ruling(self.conn, ruling_id)
            if ruling.undone is not None:
                raise ConflictError(f"ruling {ruling_id}: was taken back already")
            undone = await undo_ruling(self.conn, ruling_id, reason, self.author)
            await self._ask_without(ruling)
        await self.recomputation.wake()
        return undone

    async def _keep(self, case: Case, finding: Finding) -> Ruling:
        reach = await case.reach(finding.shot_id, finding.landing)
        made = await insert_ruling(self.conn, case.ruling(finding, reach), self.author)
        if finding.action is Action.RESTORE:
            await undo_by_restore(self.conn, made.id)
        named = set() if finding.slot_id is None else {finding.slot_id}
        await self._ask(case, reach.span, {*reach.slot_ids, *named})
        return made

    async def _ask_without(self, ruling: Ruling) -> None:
        """Have everything derived that may differ since a ruling was taken back."""
        # Seen after that: what it had taken back itself stands again.
        case = await open_case(self.conn, ruling.target_id)
        if ruling.action is Action.SWAP:
            since, until = ruling.since or FIRST, ruling.until or LAST
            await self._ask(case, Span(microseconds(since), microseconds(until)))
            return
        (known,) = (each.ruling for each in case.in_force if each.ruling.id == ruling.id)
        reach = await case.reach(known.shot_id, known.landing)
        await self._ask(case, reach.span, set(reach.slot_ids))

    async def _ask(self, case: Case, span: Span, slot_ids: set[UUID] | None = None) -> None:
        """Have everything derived that may differ.

        What a place at another butt has shot is summed up there: nobody may be at it meanwhile.
        """
        homes = await case.homes(slot_ids) if slot_ids else set()
        await self.recomputation.ask(
            self.conn,
            [case.target.id],
            since=instant(span.begin),
            until=instant(span.end),
            moved=homes,
        )


async def get_judging(
    conn: ConnectionOf, judge: JudgeOnly, request_id: RequestId, recomputation: RecomputationOf
) -> Judging:
    """For this request."""
    return Judging(conn, Author(judge.token_id, request_id), recomputation)


JudgingOf = Annotated[Judging, Depends(get_judging)]
