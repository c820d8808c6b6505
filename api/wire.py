"""Frames as they are on the wire, made once for all viewers.

Each of a thousand viewers is sent the same text. A server's frames are not masked (RFC 6455,
section 5.1), so they are the same bytes, too, and only have to be written to each socket.
"""

import struct
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, override

from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.protocol import OPEN

# What a server says of itself that takes frames as they are.
EXTENSION = "quiver.frames"
# RFC 6455, section 5.2: the only part of a text; then the bounds of a length's two short forms.
WHOLE_TEXT = 0x81
SHORT, MIDDLE = 126, 65_536


@lru_cache(maxsize=512)
def framed(text: str) -> bytes:
    """A text as a server's frame (RFC 6455, section 5.2)."""
    payload = text.encode()
    size = len(payload)
    if size < SHORT:
        return struct.pack("!BB", WHOLE_TEXT, size) + payload
    if size < MIDDLE:
        return struct.pack("!BBH", WHOLE_TEXT, SHORT, size) + payload
    return struct.pack("!BBQ", WHOLE_TEXT, SHORT + 1, size) + payload


def message_of(texts: Sequence[str]) -> dict[str, Any]:
    """What an application sends to have several texts written at once."""
    return {"type": "websocket.send", "frames": b"".join(map(framed, texts))}


class Protocol(WebSocketsSansIOProtocol):
    """uvicorn's, that also takes frames as they are: compression must be off."""

    @override
    async def run_asgi(self) -> None:
        self.scope.setdefault("extensions", {})[EXTENSION] = {}
        await super().run_asgi()

    @override
    async def send(self, message: Any) -> None:
        frames = message.get("frames")
        if frames is None:
            await super().send(message)
            return
        await self.writable.wait()
        # After a closing frame there must be no other (section 5.5.1).
        if self.disconnected or self.close_sent or self.conn.state is not OPEN:
            raise ClientDisconnected
        self.transport.write(frames)
