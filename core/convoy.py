"""Calls of a script that leave together: what is asked for while others are under way waits for
them and goes with whatever else waits, in one message.

A lone call is not held up. Of many at once each costs less, for the process and for the store,
which writes what one message brings to disk at once.
"""

import asyncio
import hashlib
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import NoScriptError

type Word = bytes | str

# Whoever waits for the last one's answer waits for those of all others, too.
CALLS_AT_ONCE = 32


@dataclass(frozen=True, slots=True)
class _Call:
    """A call, and where its answer goes."""

    keys: Sequence[str]
    words: Sequence[Word]
    answer: asyncio.Future[Any]


class Convoy:
    """Sends the calls of one script.

    Args:
        valkey: A client that answers bytes.
        script: In Lua; each call is all or nothing by itself.
    """

    def __init__(self, valkey: Redis, script: str) -> None:
        self._valkey = valkey
        self._script = script
        self._sha = hashlib.sha1(script.encode(), usedforsecurity=False).hexdigest()
        self._waiting: deque[_Call] = deque()
        self._sender: asyncio.Task[None] | None = None

    async def call(self, keys: Sequence[str], words: Sequence[Word]) -> Any:
        """The script's answer.

        Raises:
            RedisError: The store is away, or the script failed. Whether the store heard it is then
                not known.
        """
        answer = asyncio.get_running_loop().create_future()
        self._waiting.append(_Call(keys, words, answer))
        if self._sender is None:
            self._sender = asyncio.create_task(self._send())
        return await answer

    async def _send(self) -> None:
        """Send what waits until nothing does."""
        try:
            while self._waiting:
                count = min(len(self._waiting), CALLS_AT_ONCE)
                await self._send_together([self._waiting.popleft() for _ in range(count)])
        finally:
            self._sender = None

    async def _send_together(self, calls: Sequence[_Call]) -> None:
        said = await asyncio.gather(self._answers(calls), return_exceptions=True)
        answers = said[0] if not isinstance(said[0], BaseException) else [said[0]] * len(calls)
        for call, answer in zip(calls, answers, strict=True):
            if call.answer.done():
                # Nobody waits for it any more.
                continue
            if isinstance(answer, BaseException):
                call.answer.set_exception(answer)
            else:
                call.answer.set_result(answer)

    async def _answers(self, calls: Sequence[_Call]) -> list[Any]:
        answers = await self._ask(calls)
        unknown = [n for n, answer in enumerate(answers) if isinstance(answer, NoScriptError)]
        if unknown:
            await self._valkey.script_load(self._script)
            again = await self._ask([calls[n] for n in unknown])
            for number, answer in zip(unknown, again, strict=True):
                answers[number] = answer
        return answers

    async def _ask(self, calls: Sequence[_Call]) -> list[Any]:
        async with self._valkey.pipeline(transaction=False) as pipe:
            for call in calls:
                pipe.execute_command("EVALSHA", self._sha, len(call.keys), *call.keys, *call.words)
            return await pipe.execute(raise_on_error=False)
