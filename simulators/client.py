"""A gateway that relays readers.

It sends in batches, keeps what it could not send, and sends it again.
"""

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import batched, islice

import httpx

from simulators.api import ApiRefused, said
from simulators.clock import Clock, wall_clock
from simulators.wire import WireEvent, rfc3339

# An event takes some 250 bytes: far from the mebibyte that a request may have.
LARGEST_BATCH = 200
READERS_A_BEAT = 2_000
FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 5.0
BUSY = (429, 503)
# Not about the events: the gateway itself may not send, or this is no Quiver.
SHUT_OUT = (401, 403, 404, 405)


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
        clock: What it goes by.
        tally: What has become of the events so far.
        buffer: Events that are not accepted yet.
        delivered: The ids of those that the server has answered for.
    """

    client: httpx.AsyncClient
    start: datetime
    clock: Clock = field(default_factory=wall_clock)
    tally: Tally = field(default_factory=Tally)
    buffer: deque[WireEvent] = field(default_factory=deque)
    delivered: set[str] = field(default_factory=set)

    def take(self, event: WireEvent) -> None:
        """Keep an event until it is accepted."""
        self.buffer.append(event)

    async def flush(self) -> None:
        """Send all that is kept, however long it takes.

        Nothing is given up but what the server calls bad.

        Raises:
            ApiRefused: The gateway is not let in.
        """
        pause = FIRST_PAUSE_S
        while self.buffer:
            batch = list(islice(self.buffer, LARGEST_BATCH))
            wait = await self._send(batch)
            if wait is None:
                self.delivered.update(self.buffer.popleft().event_id for _ in batch)
                pause = FIRST_PAUSE_S
                continue
            self.tally.retries += 1
            await self.clock.sleep(max(wait, pause))
            pause = min(2 * pause, LONGEST_PAUSE_S)

    async def _send(self, batch: Sequence[WireEvent]) -> float | None:
        """Send a batch; None: it is dealt with, else the seconds after which to try again."""
        now = self.clock.now()
        body = {"sent_at": rfc3339(now), "events": [e.body(self.start, now) for e in batch]}
        self.tally.sent += len(batch)
        try:
            answer = await self.client.post("/api/v0/event", json=body)
        except httpx.HTTPError:
            return 0.0
        if answer.status_code in SHUT_OUT:
            raise ApiRefused(f"POST /event: {said(answer)}")
        if answer.status_code in BUSY:
            return _retry_after(answer)
        if answer.is_client_error:
            # Sending it again would not make it better; and the others must not wait for it.
            self.tally.rejected += [said(answer)] * len(batch)
            return None
        return self._note(answer)

    def _note(self, answer: httpx.Response) -> float | None:
        try:
            outcome = answer.json()["data"]
            accepted, rejected = outcome["accepted"], [
                each["error"] for each in outcome["rejected"]
            ]
        except (ValueError, KeyError, TypeError):
            # A server that fails, or whatever stands in front of one that is away.
            return 0.0
        self.tally.accepted += accepted
        self.tally.rejected += rejected
        return None

    async def beat(self, readers: Sequence[str]) -> bool:
        """Say that readers live, and what each has still to send; whether it was heard.

        Raises:
            ApiRefused: It was heard, and is wrong.
        """
        left = Counter(event.reader_id for event in self.buffer)
        started_at = rfc3339(self.start)
        for some in batched(readers, READERS_A_BEAT):
            beats = [
                {"reader_id": reader, "started_at": started_at, "buffered": left[reader]}
                for reader in some
            ]
            body = {"sent_at": rfc3339(self.clock.now()), "readers": beats}
            try:
                answer = await self.client.post("/api/v0/reader/heartbeat", json=body)
            except httpx.HTTPError:
                return False
            if answer.is_client_error and answer.status_code not in BUSY:
                raise ApiRefused(f"POST /reader/heartbeat: {said(answer)}")
            if not answer.is_success:
                return False
        return True


def _retry_after(answer: httpx.Response) -> float:
    try:
        return max(0.0, float(answer.headers.get("Retry-After", "1")))
    except ValueError:
        return 1.0
