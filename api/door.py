"""What a request that brings events needs, found at once: the way of the most requests by far."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request

from api.dependencies import allow, bearer, identify
from api.doorkeeper import Doorkeeper
from core.domain.values import SECOND, EventType
from core.gate import Haste, Incoming
from core.inbox import Inbox
from core.log import name_principal
from core.models.token import Principal
from core.schema.inbox import Accepted, AcceptedEvent, encode
from core.schema.token import Role
from core.settings import Settings

# A score is waited for; that an arrow is in the air nobody misses for a moment.
HASTE = {EventType.LANDED: Haste.NOW, EventType.RELEASE: Haste.TOGETHER}
# Nobody stands at the butt any more and waits for it.
LATE_AFTER = 10 * SECOND


@dataclass(frozen=True, slots=True)
class Door:
    """Where readers' messages come in.

    Args:
        caller: Whose token was shown: a reader's or a gateway's.
        settings: The process's settings.
        doorkeeper: Knows the readers.
        inbox: Where events wait.
        request_id: The request's id, to be carried into what it causes.
    """

    caller: Principal
    settings: Settings
    doorkeeper: Doorkeeper
    inbox: Inbox
    request_id: UUID

    async def keep(self, came: Sequence[tuple[UUID, Accepted]]) -> None:
        """Put messages on disk, all or none, and have workers look at them.

        Args:
            came: Each with its reader's target, or with its reader when that is at none.

        Raises:
            UnavailableError: The inbox is full or far behind.
            TooManyRequestsError: The reader sends too fast.
        """
        sender = self.caller.reader_id if self.caller.role is Role.READER else None
        await self.inbox.append(
            [
                Incoming(self.inbox.partition_of(owner), encode(each), _haste(each))
                for owner, each in came
            ],
            sender,
        )


def _haste(accepted: Accepted) -> Haste:
    """How soon it is to be looked at: before an arrow leaves the bow there is nothing to see, and a
    sign of life decides at most what has waited for seconds already."""
    if not isinstance(accepted, AcceptedEvent):
        return Haste.BEHIND
    if (accepted.sent_at or accepted.received_at) - accepted.ts > LATE_AFTER:
        return Haste.LATE
    return HASTE.get(accepted.type, Haste.SOON)


async def get_door(request: Request) -> Door:
    """The door, for whoever may speak for readers.

    Raises:
        UnauthenticatedError: They showed no token that counts.
        ForbiddenError: They may not.
    """
    state = request.state
    token = bearer(request.headers.get("authorization"))
    shown = await identify(state.doorkeeper.caller, state.settings, token)
    caller = allow(shown, Role.READER, Role.GATEWAY)
    name_principal(f"{caller.role} {caller.token_id or 'of the environment'}")
    return Door(caller, state.settings, state.doorkeeper, state.inbox, state.request_id)


DoorOf = Annotated[Door, Depends(get_door)]
