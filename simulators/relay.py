"""The gateways of a range: each event is sent when its time has come, each reader says it lives."""

import asyncio
from bisect import bisect_right
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from zlib import crc32

from simulators.client import Gateway
from simulators.clock import Clock
from simulators.faults import Sending

TICK_S = 0.05
BEAT_EVERY_S = 10.0
LAST_WORD_PAUSE_S = 1.0


@dataclass(slots=True)
class Relay:
    """Gateways among which the readers are shared out.

    Args:
        gateways: One or more.
        readers: All readers, those with nothing to say as well.
        clock: What they go by.
        speed: How much faster than life.
        stop: Ends it early.
        tell: Called every now and then with the number of events whose time has come.
        patience_s: How long what is due is still tried after being told to stop. Of a request that
            was not answered until then nobody knows whether it was heard.
    """

    gateways: Sequence[Gateway]
    readers: Sequence[str]
    clock: Clock
    speed: float
    stop: asyncio.Event
    tell: Callable[[int], None]
    patience_s: float = 1.0
    _tasks: dict[str, asyncio.Task[object]] = field(default_factory=dict)

    async def send(self, sendings: Sequence[Sending]) -> None:
        """Send everything, in the order in which it leaves, and have it accepted.

        Raises:
            ApiRefused: The gateways are not let in.
        """
        try:
            await self._send(sendings)
            self._collect()
            await self._last_word()
        finally:
            for task in self._tasks.values():
                task.cancel()
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _send(self, sendings: Sequence[Sending]) -> None:
        began, due, patience, beaten_at = self.clock.now(), 0, self.patience_s, -BEAT_EVERY_S
        while patience > 0:
            self._collect()
            passed = (self.clock.now() - began).total_seconds()
            if not self.stop.is_set():
                until = bisect_right(sendings, passed * self.speed, lo=due, key=lambda s: s.at)
                self._share_out(sendings[due:until])
                due = until
            if passed - beaten_at >= BEAT_EVERY_S:
                beaten_at = passed
                self._keep_at("beat", self._beat)
            self._flush()
            self.tell(due)
            if not self._left() and (due == len(sendings) or self.stop.is_set()):
                return
            await self.clock.sleep(TICK_S)
            patience -= TICK_S if self.stop.is_set() else 0

    def _share_out(self, sendings: Sequence[Sending]) -> None:
        for sending in sendings:
            self.gateways[self._number(sending.event.reader_id)].take(sending.event)

    def _number(self, reader: str) -> int:
        """Each reader always talks to the same gateway."""
        return crc32(reader.encode()) % len(self.gateways)

    def _flush(self) -> None:
        for number, gateway in enumerate(self.gateways):
            if gateway.buffer:
                self._keep_at(f"send {number}", gateway.flush)

    def _keep_at(self, name: str, work: Callable[[], Coroutine[object, object, object]]) -> None:
        """Begin some work beside the others, unless it is still being done."""
        if name not in self._tasks:
            self._tasks[name] = asyncio.create_task(work())

    def _collect(self) -> None:
        """Let go of the work that is done; what failed fails here."""
        for name in [name for name, task in self._tasks.items() if task.done()]:
            self._tasks.pop(name).result()

    def _left(self) -> int:
        return sum(len(gateway.buffer) for gateway in self.gateways)

    async def _beat(self) -> bool:
        beats: list[Awaitable[bool]] = [
            gateway.beat([r for r in self.readers if self._number(r) == number])
            for number, gateway in enumerate(self.gateways)
        ]
        return all(await asyncio.gather(*beats))

    async def _last_word(self) -> None:
        """Have it heard that nothing is left: else nobody knows whether a late landing comes."""
        if (earlier := self._tasks.pop("beat", None)) is not None:
            # It may say that something is left, and must not come after this.
            await earlier
        while not await self._beat() and not self.stop.is_set():
            await self.clock.sleep(LAST_WORD_PAUSE_S)
