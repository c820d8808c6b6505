"""Connections to Valkey that pack commands in C, as redis-py's blocking ones do: its asynchronous
ones pack word by word, which costs as much again as sending them."""

import asyncio
from collections.abc import Mapping
from typing import override

import hiredis
from redis.asyncio.connection import (
    AbstractConnection,
    Connection,
    SSLConnection,
    UnixDomainSocketConnection,
)
from redis.exceptions import DataError
from redis.typing import EncodableT


class _Packing:
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
