"""What viewers are told of a change that the API itself made."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import Depends

from api.dependencies import FeedOf, RequestId
from core.feed import Feed, Frame
from core.log import get_logger
from core.schema.end import End
from core.schema.session import Session
from core.valkey import LOST

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Announcement:
    """Tells viewers, after the commit; a change does not fail because they cannot be told."""

    feed: Feed
    request_id: UUID

    async def turned(self, session: Session) -> None:
        """A session was closed or opened again."""
        kind = "session.opened" if session.is_opened else "session.closed"
        data = {"session": session.model_dump(mode="json")}
        await self._tell(Frame(session.id, kind, data, request_id=self.request_id))

    async def end_turned(self, end: End) -> None:
        """A judge opened an end or closed it, or put its times right."""
        kind = "end.opened" if end.closed_at is None else "end.closed"
        data = {"end": end.model_dump(mode="json")}
        await self._tell(Frame(end.session_id, kind, data, request_id=self.request_id))

    async def _tell(self, frame: Frame) -> None:
        try:
            await self.feed.publish([frame])
        except LOST as error:
            log.warning("viewers were not told", frame=frame.type, error=str(error))


async def get_announcement(feed: FeedOf, request_id: RequestId) -> Announcement:
    """For this request."""
    return Announcement(feed, request_id)


AnnouncementOf = Annotated[Announcement, Depends(get_announcement)]
