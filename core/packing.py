"""Connections to Valkey that cost less than redis-py's own asynchronous ones: commands are packed
in C, as its blocking ones do, and whether one can be used again is seen without a turn of the loop.
"""

import asyncio
from abc import ABC
from collections.abc import Callable, Mapping
from typing import override

import hiredis
from redis._parsers import _AsyncHiredisParser
from redis.asyncio.connection import (
    AbstractConnection,
    Connection,
    SSLConnection,
    UnixDomainSocketConnection,
)
from redis.exceptions import ConnectionError as LostConnection
from redis.exceptions import DataError
from redis.typing import EncodableT


class AttentiveParser(_AsyncHiredisParser):
    """redis-py's, that says whether it holds more than it was asked for."""

    def has_more(self) -> bool:
        """Whether something lies there that came with the last answer."""
        reader: hiredis.Reader | None = self._reader
        return reader is not None and reader.has_data()


class _Packing(AbstractConnection, ABC):
    @override
    def pack_command(self, *args: EncodableT) -> list[bytes]:
        """A command as it is sent.

        Raises:
            DataError: A word is neither bytes, text nor a number.
        """
        name, *words = args
        # Such as CONFIG GET: two words to the server.
        names = name.split() if isinstance(name, str | bytes) else [name]
        try:
            return [hiredis.pack_command((*names, *words))]
        except TypeError as error:
            raise DataError(str(error)) from error

    @override
    async def can_read_destructive(self) -> bool:
        """Whether an answer lies there that nobody waited for, which is asked before each use of a
        connection.

        The library waits a turn of the event loop for it, and takes a timeout for the answer.

        Raises:
            LostConnection: The other end is gone.
        """
        reader = self._reader
        if reader is None or reader.exception() is not None or reader.at_eof():
            raise LostConnection("the server closed the connection")
        is_empty: Callable[[], bool] = self._socket_is_empty
        has_parsed = isinstance(self._parser, AttentiveParser) and self._parser.has_more()
        return has_parsed or not is_empty()


class PackingConnection(_Packing, Connection):
    """Over TCP."""


class PackingSSLConnection(_Packing, SSLConnection):
    """Over TLS."""


class PackingSocketConnection(_Packing, UnixDomainSocketConnection):
    """Over a Unix socket.

    The library's own introduces itself twice, and calls it a lost connection, which is tried again,
    when the server is silent the first time.
    """

    @override
    async def _connect(self) -> None:
        async with asyncio.timeout(self.socket_connect_timeout):
            self._reader, self._writer = await asyncio.open_unix_connection(self.path)


# By the kind that redis-py makes of a URL.
PACKING: Mapping[type[AbstractConnection], type[AbstractConnection]] = {
    Connection: PackingConnection,
    SSLConnection: PackingSSLConnection,
    UnixDomainSocketConnection: PackingSocketConnection,
}
