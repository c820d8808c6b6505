"""A crowd of viewers beside the live shooting of a job, one of whom may stop to read."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bench.load.begin import Begin
from bench.load.job import Crowd, Tally
from bench.load.seen import landing_of
from bench.load.viewers import Viewer, join
from bench.usage import usage_of

JOIN_AT_ONCE = 20
# Every so manieth tells how soon it hears of landings; the rest are only counted.
TELLING = 20
API = "api"


@dataclass(slots=True)
class Audience:
    """The viewers, and how soon those who tell hear of landings."""

    crowd: Crowd
    tally: Tally
    viewers: list[Viewer] = field(default_factory=list)
    begin: Begin | None = None
    due: Mapping[bytes, tuple[str, float]] = field(default_factory=dict)

    async def join(self, url: str, session_id: str, servers: Mapping[str, int]) -> None:
        """Have them all come; the tally then knows what each costs the API."""
        api = {API: servers[API]}
        before = usage_of(api)[API].memory_mb
        for first in range(0, self.crowd.viewers, JOIN_AT_ONCE):
            some = range(first, min(first + JOIN_AT_ONCE, self.crowd.viewers))
            self.viewers += await asyncio.gather(
                *(join(url, session_id, None if n % TELLING else self._hear) for n in some)
            )
        grown = usage_of(api)[API].memory_mb - before
        self.tally.viewer_kb = 1024 * grown / max(1, self.crowd.viewers)
        if self.crowd.is_one_stalled and self.readers and self._stalled.transport is not None:
            self._stalled.transport.pause_reading()

    @property
    def _stalled(self) -> Viewer:
        return self.viewers[-1]

    @property
    def readers(self) -> Sequence[Viewer]:
        """Those who read."""
        return self.viewers[:-1] if self.crowd.is_one_stalled else self.viewers

    def note(self) -> None:
        """Count what they were sent."""
        counts = [viewer.frames for viewer in self.readers]
        self.tally.frames, self.tally.frames_least = sum(counts), min(counts, default=0)
        if self.begin is not None:
            self.tally.frames_s = self.begin.elapsed()

    def _hear(self, text: bytes) -> None:
        if self.begin is not None and (known := self.due.get(landing_of(text))) is not None:
            phase, due = known
            late_ms = 1000 * (self.begin.elapsed() - due)
            self.tally.crowd_latencies.setdefault(phase, []).append(late_ms)
