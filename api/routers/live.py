"""The live view of a session."""

from typing import Annotated

import asyncpg
from fastapi import APIRouter, Depends, WebSocket

from api.admission import admit, refuse, token_protocol
from api.dependencies import FeedOf, PoolOf, SettingsOf
from api.hub import Hub
from api.snapshot import read_opening
from api.streaming import Stream
from api.viewer import Viewer
from core import postgres, valkey
from core.errors import NotFoundError, QuiverError, UnavailableError

router = APIRouter()


async def get_hub(websocket: WebSocket) -> Hub:
    """The process's viewers."""
    hub: Hub = websocket.state.hub
    return hub


@router.websocket("/api/v0/ws/session/{session_id}")
async def watch_session(
    websocket: WebSocket,
    session_id: str,
    *,
    settings: SettingsOf,
    pool: PoolOf,
    feed: FeedOf,
    hub: Annotated[Hub, Depends(get_hub)],
) -> None:
    """A snapshot, or what came after `since`, then everything as it happens."""
    try:
        # Given back before the stream begins: viewers may be many more than connections.
        async with pool.acquire() as conn:
            wish = await admit(websocket, session_id, conn, settings)
            opening = await read_opening(conn, feed, wish)
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
    viewer = Viewer(wish.session.id, wish.target_id, opening.cursor, queue_length=hub.queue_length)
    with hub.joined(viewer):
        await Stream(websocket, viewer, feed, settings.quiver_heartbeat_s).run(opening)


@router.websocket("/{path:path}")
async def refuse_unknown_path(websocket: WebSocket, path: str) -> None:
    """Say that there is nothing to watch here, which no framework does for a WebSocket."""
    await refuse(websocket, NotFoundError("path", f"/{path}"))
