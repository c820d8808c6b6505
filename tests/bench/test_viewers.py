"""Frames counted from the bytes of a WebSocket, however they are cut."""

from asyncio import Transport
from unittest.mock import Mock

import pytest

from bench.load.viewers import Viewer

HEAD = b"HTTP/1.1 101 Switching Protocols\r\n\r\n"
SNAPSHOT, SHORT, LONG = b"snapshot", b"short", b"x" * 300


def frame(payload: bytes) -> bytes:
    """A text frame as a server sends it."""
    size = len(payload)
    return b"\x81" + (bytes([size]) if size < 126 else b"\x7e" + size.to_bytes(2)) + payload


@pytest.mark.parametrize("piece", [1, 2, 7, 10_000])
async def test_frames_are_counted_however_they_are_cut(piece: int) -> None:
    heard: list[bytes] = []
    viewer = Viewer(b"", heard.append)
    ping = b"\x89\x00"
    data = HEAD + frame(SNAPSHOT) + frame(SHORT) + ping + frame(LONG)
    for begin in range(0, len(data), piece):
        viewer.data_received(data[begin : begin + piece])
    assert (viewer.frames, heard) == (2, [SHORT, LONG])


@pytest.mark.parametrize("piece", [1, 10_000])
async def test_what_is_told_of_arrows_is_counted_apart(piece: int) -> None:
    viewer = Viewer(b"", None)
    kinds = ("shot.created", "leaderboard.updated", "shot.updated", "shot.landed", "heartbeat")
    frames = [frame(b'{"type":"%s","ts":""}' % kind.encode()) for kind in kinds]
    data = HEAD + frame(SNAPSHOT) + b"".join(frames)
    for begin in range(0, len(data), piece):
        viewer.data_received(data[begin : begin + piece])
    assert (viewer.frames, viewer.shots) == (5, 2)


@pytest.mark.parametrize("piece", [1, 10_000])
async def test_a_ping_is_answered_with_what_it_says(piece: int) -> None:
    viewer = Viewer(b"", None)
    transport = Mock(spec=Transport)
    viewer.connection_made(transport)
    transport.write.reset_mock()
    data = HEAD + frame(SNAPSHOT) + b"\x89\x04four" + frame(SHORT)
    for begin in range(0, len(data), piece):
        viewer.data_received(data[begin : begin + piece])
    # Final, a pong; masked with zeros.
    transport.write.assert_called_once_with(b"\x8a\x84\0\0\0\0four")
    assert viewer.frames == 1
