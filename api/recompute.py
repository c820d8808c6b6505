"""Shots derived anew after a change of what they depend on."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import Depends

from api.dependencies import InboxOf, QueueOf, RequestId
from core.inbox import Inbox
from core.models.arrow import select_naming
from core.models.reader_move import Moved
from core.models.recompute import request_recompute
from core.postgres import Connection
from core.queue import Queue
from core.schema.rules import LONGEST_LANDING_WINDOW_MS, LONGEST_WINDOW_MS

# What happens at a butt can touch arrows that are in the air.
BEFORE = timedelta(milliseconds=LONGEST_LANDING_WINDOW_MS, seconds=1)
# An arrow that is named can be the one of a release after a draw after that.
AFTER = timedelta(milliseconds=2 * LONGEST_WINDOW_MS, minutes=1)


@dataclass(frozen=True, slots=True)
class Recomputation:
    """Asks for it in the change's transaction, and wakes the workers after the commit.

    Args:
        inbox: Knows which partition a target is in.
        queue: Wakes the workers.
        request_id: The request that makes the change.
        asked: The targets that were asked for.
    """

    inbox: Inbox
    queue: Queue
    request_id: UUID
    asked: set[UUID] = field(default_factory=set)

    async def ask(
        self,
        conn: Connection,
        targets: Collection[UUID],
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        moved: Collection[UUID] = (),
    ) -> None:
        """Have the shots of these targets derived anew.

        Args:
            conn: In the transaction that makes the change.
            targets: Whose shots may differ now.
            since: Only shots released from here on; None: all.
            until: Only shots released before; None: all.
            moved: Readers that moved, and targets that their events may still be on the way to:
                what is being processed there under the old places is waited for.
        """
        if not targets:
            return
        await request_recompute(
            conn,
            targets,
            since=since,
            until=until,
            moved_readers=moved,
            request_id=self.request_id,
        )
        self.asked.update(targets)

    async def ask_moved(self, conn: Connection, moved: Moved) -> None:
        """As `ask`, after a reader was bound elsewhere."""
        waited_for = [moved.reader_id, *moved.ever]
        await self.ask(conn, moved.targets, since=moved.begin - BEFORE, moved=waited_for)

    async def ask_named(self, conn: Connection, arrow_ids: Collection[UUID]) -> None:
        """As `ask`, after arrows became others': wherever a reader named one of them."""
        for target_id, named in (await select_naming(conn, arrow_ids)).items():
            since, until = named.first - BEFORE, named.last + AFTER
            await self.ask(conn, [target_id], since=since, until=until)

    async def wake(self) -> None:
        """Now that it is committed, have it done."""
        partitions = {self.inbox.partition_of(target) for target in self.asked}
        await self.queue.wake(sorted(partitions), self.request_id)


async def get_recomputation(inbox: InboxOf, queue: QueueOf, request_id: RequestId) -> Recomputation:
    """For this request."""
    return Recomputation(inbox, queue, request_id)


RecomputationOf = Annotated[Recomputation, Depends(get_recomputation)]
