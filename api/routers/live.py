"""The live view of a session."""

from dataclasses import dataclass
from typing import Annotated

import asyncpg
from fastapi import APIRouter, Depends, WebSocket

from api.admission import admit, refuse, token_protocol
from api.dependencies import FeedOf, PoolOf, SettingsOf
from api.hub import Hub
from api.snapshot import Openings
from api.streaming import Stream
from api.viewer import Viewer
from core import postgres, valkey
from core.errors import NotFoundError, QuiverError, UnavailableError

router = APIRouter()


async def get_hub(websocket: WebSocket) -> Hub:
    """The process's viewers."""
    hub: Hub = websocket.state.hub
    return hub


async def get_openings(websocket: WebSocket) -> Openings:
    """What the process's viewers begin with."""
    openings: Openings = websocket.state.openings
    return openings


@dataclass(frozen=True, slots=True)
class Live:
    """What lets somebody watch."""

    settings: SettingsOf
    pool: PoolOf
    feed: FeedOf
    hub: Annotated[Hub, Depends(get_hub)]
    openings: Annotated[Openings, Depends(get_openings)]

    async def viewer(self, websocket: WebSocket, session_id: str) -> Viewer:
        """Whoever is at this WebSocket, if they may watch the session."""
        # Given back before the rest: viewers may be many more than connections.
        async with self.pool.acquire() as conn:
            wish = await admit(websocket, session_id, conn, self.settings)
        opening = await self.openings.get(wish)
        return Viewer(
            wish.session.id,
            wish.target_id,
            opening.cursor,
            snapshot=opening.snapshot,
            queue_length=self.hub.queue_length,
        )


@router.websocket("/api/v0/ws/session/{session_id}")
async def watch_session(
    websocket: WebSocket, session_id: str, live: Annotated[Live, Depends()]
) -> None:
    """A snapshot, or what came after `since`, then everything as it happens."""
    try:
        viewer = await live.viewer(websocket, session_id)
    except QuiverError as error:
        await refuse(websocket, error)
        return
    except (*postgres.LOST, *valkey.LOST, asyncpg.InterfaceError):
        await refuse(websocket, UnavailableError("a store is not reachable just now: try again", 2))
        return
    try:
        await websocket.accept(subprotocol=token_protocol(websocket))
    except OSError:
        # They left while this was being settled.
        return
    with live.hub.joined(viewer):
        beat_s, pause_s = live.settings.quiver_heartbeat_s, live.hub.pause_s
        await Stream(websocket, viewer, live.feed, beat_s, pause_s).run()


@router.websocket("/{path:path}")
async def refuse_unknown_path(websocket: WebSocket, path: str) -> None:
    """Say that there is nothing to watch here, which no framework does for a WebSocket."""
    await refuse(websocket, NotFoundError("path", f"/{path}"))
