"""Events over HTTP, on a schedule that waits for no answer, or as fast as answers come."""

import asyncio
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import orjson

from bench.load.begin import Begin
from bench.load.line import GIVE_UP_S, Lines
from bench.load.tally import Tally

ACCEPTED = 202
BUSY = (429, 503)
PAUSE_S = 0.05
CONNECTIONS = 256
REFUSALS_TOLD = 5


@dataclass(frozen=True, slots=True)
class Request:
    """A body that is ready.

    Args:
        at: When it is due, seconds after the begin.
        body: The JSON, but for `sent_at` when it is to be said at sending.
        events: How many it holds.
        begins: When the shot begins that it tells of.
        landing: The landing that it tells of, if it does.
    """

    at: float
    body: bytes
    events: int
    begins: float = 0.0
    landing: bytes = b""


@dataclass(frozen=True, slots=True)
class Sender:
    """Sends requests and counts what comes of them.

    Args:
        lines: To the API.
        begin: What the schedule counts from.
        tally: Where everything is counted.
    """

    lines: Lines
    begin: Begin
    tally: Tally

    async def on_schedule(self, requests: Iterable[Request], answers: list[float]) -> None:
        """Send each when it is due, whatever became of those before."""
        async with asyncio.TaskGroup() as under_way:
            for request in requests:
                await self.begin.reached(request.at)
                self.tally.lag_ms.append(1000 * (self.begin.elapsed() - request.at))
                under_way.create_task(self._timed(request.body, request.events, answers))

    async def one_by_one(
        self, requests: Iterator[Request], answers: list[float], until: float | None
    ) -> int:
        """Send one after the other, as of now, until that moment; how many events were sent."""
        sent = 0
        for request in requests:
            if until is not None and self.begin.elapsed() >= until:
                break
            body = said_at(self.begin.ts(self.begin.elapsed()), request.body)
            await self._timed(body, request.events, answers)
            sent += request.events
        return sent

    async def _timed(self, body: bytes, events: int, answers: list[float]) -> None:
        begun = time.monotonic()
        await self._post(body, events)
        answers.append(1000 * (time.monotonic() - begun))

    async def _post(self, body: bytes, events: int) -> None:
        until = time.monotonic() + GIVE_UP_S
        while True:
            try:
                status, said = await self.lines.post("/api/v0/event", body)
            except OSError as error:
                self._refuse(f"{type(error).__name__}: {error}")
                return
            if status not in BUSY or time.monotonic() > until:
                break
            self.tally.sent_away += 1
            await asyncio.sleep(PAUSE_S)
        if status != ACCEPTED or (taken := orjson.loads(said)["data"]["accepted"]) != events:
            self._refuse(f"{status}: {said[:300].decode(errors='replace')}")
            return
        self.tally.sent += taken

    def _refuse(self, why: str) -> None:
        if len(self.tally.refused) < REFUSALS_TOLD:
            self.tally.refused.append(why)


def said_at(ts: str, body: bytes) -> bytes:
    """A body with the moment of its sending."""
    return b'{"sent_at":"' + ts.encode() + b'",' + body[1:]
