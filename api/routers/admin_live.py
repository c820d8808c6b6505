"""How the work stands, as it changes."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import StreamingResponse

from api.broadcast import TROUBLE, Broadcast
from api.dependencies import LoginsOf, SettingsOf, Watcher, get_watcher
from api.logins import Logins
from core import postgres
from core.errors import QuiverError
from core.settings import Settings

PATH = "/api/v0/admin/live"
AGAIN_AFTER = "retry: 2000\n\n"
END = "event: end\ndata: the login has ended\n\n"

router = APIRouter(tags=["admin"])


async def get_broadcast(request: Request) -> Broadcast:
    """Who tells."""
    broadcast: Broadcast = request.state.broadcast
    return broadcast


BroadcastOf = Annotated[Broadcast, Depends(get_broadcast)]


@router.get(
    PATH,
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {}}, "description": "Server-sent events"}},
)
async def watch_overview(
    request: Request, _: Watcher, broadcast: BroadcastOf, logins: LoginsOf, settings: SettingsOf
) -> StreamingResponse:
    """Server-sent events: `event: overview` with an Overview as JSON every 2 seconds;
    `event: trouble` with a sentence when there is none to be had; `event: end` when the token or
    the login counts no more."""
    broadcast.check_room()
    return StreamingResponse(
        _stream(request, broadcast, logins, settings),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _stream(
    request: Request, broadcast: Broadcast, logins: Logins, settings: Settings
) -> AsyncIterator[str]:
    with broadcast.joined():
        yield AGAIN_AFTER
        async for said in broadcast.told():
            try:
                await get_watcher(request, logins, settings)
            except QuiverError:
                yield END
                return
            except postgres.LOST:
                yield TROUBLE
            else:
                yield said
