"""A gateway that relays readers: it sends in batches, keeps what it could not send, and sends
again."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import httpx

from simulators.api import said
from simulators.wire import WireEvent, rfc3339

LARGEST_BATCH = 200
FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 5.0
BUSY = (429, 503)


@dataclass(slots=True)
class Tally:
    """What has become of what was to be sent."""

    sent: int = 0
    accepted: int = 0
    rejected: list[str] = field(default_factory=list)
    retries: int = 0


@dataclass(slots=True)
class Gateway:
    """Relays events over one connection.

    Args:
        client: With the gateway's token.
        start: The tournament's start: what events' times count from.
        sleep: Waits; another one in tests.
        clock: Tells the time; another one in tests.
    """

    client: httpx.AsyncClient
    start: datetime
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    tally: Tally = field(default_factory=Tally)
    buffer: deque[WireEvent] = field(default_factory=deque)

    def take(self, events: Sequence[WireEvent]) -> None:
        """Keep events until they are accepted."""
        self.buffer.extend(events)

    async def flush(self) -> None:
        """Send all that is kept, however long it takes: nothing is given up but what the server
        calls bad."""
        pause = FIRST_PAUSE_S
        while self.buffer:
            batch = [self.buffer[n] for n in range(min(LARGEST_BATCH, len(self.buffer)))]
            wait = await self._send(batch)
            if wait is None:
                for _ in batch:
                    self.buffer.popleft()
                pause = FIRST_PAUSE_S
                continue
            self.tally.retries += 1
            await self.sleep(max(wait, pause))
            pause = min(2 * pause, LONGEST_PAUSE_S)

    async def _send(self, batch: Sequence[WireEvent]) -> float | None:
        """Send a batch; None: it is dealt with, else the seconds after which to try again."""
        now = self.clock()
        body = {"sent_at": rfc3339(now), "events": [e.body(self.start, now) for e in batch]}
        self.tally.sent += len(batch)
        try:
            answer = await self.client.post("/api/v0/event", json=body)
        except httpx.HTTPError:
            return 0.0
        if answer.status_code in BUSY:
            return _retry_after(answer)
        if answer.status_code >= 500:
            return 0.0
        if answer.is_error:
            # Sending it again would not make it better; and the others must not wait for it.
            self.tally.rejected += [f"{said(answer)}"] * len(batch)
            return None
        outcome = answer.json()["data"]
        self.tally.accepted += outcome["accepted"]
        self.tally.rejected += [each["error"] for each in outcome["rejected"]]
        return None

    async def beat(self, readers: Sequence[str], buffered: int) -> bool:
        """Say that readers live; whether it was heard."""
        now = rfc3339(self.clock())
        for begin in range(0, len(readers), 2_000):
            said_readers = [
                {"reader_id": reader, "started_at": rfc3339(self.start), "buffered": buffered}
                for reader in readers[begin : begin + 2_000]
            ]
            body = {"sent_at": now, "readers": said_readers}
            try:
                answer = await self.client.post("/api/v0/reader/heartbeat", json=body)
            except httpx.HTTPError:
                return False
            if answer.is_error:
                return False
        return True


def _retry_after(answer: httpx.Response) -> float:
    try:
        return max(0.0, float(answer.headers.get("Retry-After", "1")))
    except ValueError:
        return 1.0
