"""Commands as they are sent to Valkey, and connections that are used again."""

import asyncio
from collections.abc import Sequence
from enum import StrEnum
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.asyncio.connection import Connection
from redis.exceptions import DataError

from core.packing import PACKING, PackingConnection


class Name(StrEnum):
    """A word that is more than text."""

    ONE = "one"


@pytest.mark.parametrize(
    "words",
    [
        ("PING",),
        ("CONFIG GET", "save"),
        (b"XINFO STREAM", "key"),
        ("SET", "é", b"\x00\xff\r\n"),
        ("ZADD", "k", 1, -5, 2**62, 1.5, 1e300, 0.1 + 0.2, Name.ONE, memoryview(b"y")),
        ("SET", "k", b"x" * 100_000, "y" * 100_000),
        ("SET", "k", ""),
    ],
)
def test_a_command_is_packed_as_redis_py_would(words: Sequence[Any]) -> None:
    said = b"".join(PackingConnection().pack_command(*words))
    assert said == b"".join(map(bytes, Connection().pack_command(*words)))


@pytest.mark.parametrize("word", [None, object(), [1]])
def test_what_is_no_word_is_an_error_that_redis_py_would_raise(word: Any) -> None:
    with pytest.raises(DataError):
        PackingConnection().pack_command("SET", "key", word)


async def test_the_client_packs_so(valkey: Redis) -> None:
    assert valkey.connection_pool.connection_class in PACKING.values()
    await valkey.set("key", b"\x00\xff")
    async with valkey.pipeline(transaction=True) as pipe:
        pipe.get("key")
        pipe.execute_command("OBJECT ENCODING", "key")
        assert await pipe.execute() == [b"\x00\xff", b"embstr"]


async def test_a_connection_that_the_server_closed_is_opened_anew(valkey: Redis) -> None:
    first = await valkey.client_id()
    await valkey.client_kill_filter(_id=first, skipme=False)
    assert await valkey.client_id() > first


async def test_an_answer_that_nobody_waited_for_is_never_taken_for_another(valkey: Redis) -> None:
    pool = valkey.connection_pool
    connection = await pool.get_connection()
    await connection.send_command("ECHO", "of before")
    while not await connection.can_read_destructive():
        await asyncio.sleep(0)
    await pool.release(connection)
    assert await valkey.echo("mine") == b"mine"


async def test_an_answer_that_came_with_another_is_never_taken_for_a_third(valkey: Redis) -> None:
    pool = valkey.connection_pool
    connection = await pool.get_connection()
    await connection.send_packed_command(connection.pack_commands([("ECHO", "a"), ("ECHO", "b")]))
    while not await connection.can_read_destructive():
        await asyncio.sleep(0)
    assert await connection.read_response() == b"a"
    await pool.release(connection)
    assert await valkey.echo("mine") == b"mine"
