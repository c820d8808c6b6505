"""Shots derived anew after a change of what they depend on."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Depends

from api.dependencies import InboxOf, QueueOf, RequestId
from core.inbox import Inbox
from core.models.recompute import request_recompute
from core.postgres import Connection
from core.queue import Queue


@dataclass(frozen=True, slots=True)
class Recomputation:
    """Asks for it in the change's transaction, and wakes the workers after the commit."""

    inbox: Inbox
    queue: Queue
    request_id: UUID

    async def ask(
        self,
        conn: Connection,
        targets: Collection[UUID],
        *,
        since: datetime | None = None,
        moved_readers: Collection[UUID] = (),
    ) -> None:
        """Have the shots of these targets derived anew, those released from `since` on."""
        await request_recompute(
            conn, targets, since=since, moved_readers=moved_readers, request_id=self.request_id
        )

    async def wake(self, targets: Collection[UUID]) -> None:
        """Now that it is committed, have it done."""
        partitions = {self.inbox.partition_of(target) for target in targets}
        await self.queue.wake(sorted(partitions), self.request_id)


def get_recomputation(inbox: InboxOf, queue: QueueOf, request_id: RequestId) -> Recomputation:
    """For this request."""
    return Recomputation(inbox, queue, request_id)


RecomputationOf = Annotated[Recomputation, Depends(get_recomputation)]
