"""Which landings have come back as shots, and how soon."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from bench.load.begin import Begin
from bench.load.tally import Tally

LANDING = b'"landing_event_id":"'
ID_LENGTH = 36


def landing_of(text: bytes) -> bytes:
    """The landing that a frame is about; empty: it is about none."""
    at = text.find(LANDING)
    return b"" if at < 0 else text[at + len(LANDING) : at + len(LANDING) + ID_LENGTH]


@dataclass(slots=True)
class Seen:
    """What is still waited for.

    Args:
        begin: What times count from.
        tally: Where latencies are counted.
        live: Landings of now: their phase, and when each is due.
        late: Landings of a backlog.
    """

    begin: Begin
    tally: Tally
    live: dict[bytes, tuple[str, float]]
    late: set[bytes]
    last_late_at: float = 0.0
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def frame(self, text: bytes) -> None:
        """Note a frame, of which only the landing matters: nobody else is named by it."""
        landing = landing_of(text)
        now = self.begin.elapsed()
        if landing in self.live:
            phase, due = self.live.pop(landing)
            self.tally.latencies.setdefault(phase, []).append((due, 1000 * (now - due)))
        elif landing in self.late:
            self.late.remove(landing)
            self.last_late_at = now
        else:
            return
        if not (self.live and self.late):
            self.changed.set()

    def note_unseen(self) -> None:
        """Count those that never came."""
        self.tally.unseen = len(self.live) + len(self.late)
        self.tally.unseen_live = Counter(phase for phase, _ in self.live.values())

    async def none_left(self, which: Mapping[bytes, object] | set[bytes], until: float) -> None:
        """Wait until all of these came, but not longer than until then."""
        while which and (left := until - self.begin.elapsed()) > 0:
            self.changed.clear()
            try:
                async with asyncio.timeout(left):
                    await self.changed.wait()
            except TimeoutError:
                return
