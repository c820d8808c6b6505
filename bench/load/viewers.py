"""Viewers by the thousand, that count frames without reading them, but for a few."""

import asyncio
import base64
import os
import socket
import struct
import time
from collections.abc import Callable
from typing import cast, override
from urllib.parse import urlsplit

# RFC 6455, section 5.2.
TEXT, PING, PONG = 0x1, 0x9, 0xA
FINAL, MASKED, NO_MASK = 0x80, 0x80, bytes(4)
SHORT = 126
OPEN_WITHIN_S = 30.0
HEAD, HEAD_MIDDLE, HEAD_LONG = 2, 4, 10
TOLD_OF_ALL = (b'{"type":"shot.created"', b'{"type":"shot.landed"')
# The kernels at both ends then take little for one who reads nothing: what the sender's takes goes
# with the segments' size, which on one machine is large.
SMALL_BUFFER, SMALL_SEGMENT = 4_096, 536


class Viewer(asyncio.Protocol):
    """One viewer.

    Args:
        request: The upgrade, as bytes.
        heard: Told each text frame's payload; None: frames are only counted.

    Attributes:
        frames: How many came, but for the first.
        shots: How many of these tell that an arrow leaves or lands, as each does.
        last_at: When the last of them did, by the steady clock.
    """

    def __init__(self, request: bytes, heard: Callable[[bytes], None] | None) -> None:
        self.frames, self.shots, self.last_at = 0, 0, 0.0
        self.is_gone = False
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._request, self._heard = request, heard
        self._left = b""
        self._is_upgraded = False
        self.transport: asyncio.Transport | None = None

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are no subclass of asyncio's.
        self.transport = cast(asyncio.Transport, transport)
        self.transport.write(self._request)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self.is_gone = True

    @override
    def data_received(self, data: bytes) -> None:
        data = self._left + data if self._left else data
        if not self._is_upgraded:
            head, found, data = data.partition(b"\r\n\r\n")
            if not found:
                self._left = head
                return
            self._is_upgraded = True
        at, end = 0, len(data)
        while end - at >= HEAD:
            size, begin = data[at + 1], at + HEAD
            if size >= SHORT:
                begin = at + (HEAD_MIDDLE if size == SHORT else HEAD_LONG)
                if begin > end:
                    break
                form = "!H" if size == SHORT else "!Q"
                (size,) = struct.unpack_from(form, data, at + HEAD)
            if begin + size > end:
                break
            if data[at] & 0xF == TEXT:
                self._frame(data, begin, begin + size)
            elif data[at] & 0xF == PING:
                self._answer(data[begin : begin + size])
            at = begin + size
        self._left = data[at:]

    def _answer(self, ping: bytes) -> None:
        # Whoever does not answer is taken for gone after a while. A client's frames are masked:
        # with zeros they are as they were.
        if self.transport is not None and not self.is_gone:
            self.transport.write(bytes([FINAL | PONG, MASKED | len(ping), *NO_MASK]) + ping)

    def _frame(self, data: bytes, begin: int, end: int) -> None:
        if not self.opened.done():
            self.opened.set_result(None)
            return
        self.frames += 1
        self.last_at = time.monotonic()
        if data.startswith(TOLD_OF_ALL, begin):
            self.shots += 1
        if self._heard is not None:
            self._heard(data[begin:end])


async def join(
    url: str,
    session_id: str,
    heard: Callable[[bytes], None] | None,
    *,
    has_small_buffer: bool = False,
) -> Viewer:
    """Have one more viewer, who has had their first frame."""
    where = urlsplit(url)
    request = (
        f"GET /api/v0/ws/session/{session_id} HTTP/1.1\r\nHost: {where.netloc}\r\n"
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}\r\n\r\n"
    )
    loop = asyncio.get_running_loop()
    line = socket.socket()
    line.setblocking(False)
    if has_small_buffer:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER)
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, SMALL_SEGMENT)
    await loop.sock_connect(line, (where.hostname or "", where.port or 80))
    _, viewer = await loop.create_connection(lambda: Viewer(request.encode(), heard), sock=line)
    async with asyncio.timeout(OPEN_WITHIN_S):
        await viewer.opened
    return viewer
