"""A crowd of viewers beside the live shooting of a job, one of whom may stop to read."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from bench.load.begin import Begin
from bench.load.job import Crowd
from bench.load.seen import landing_of
from bench.load.shooting import ENGAGE_BEFORE_S
from bench.load.tally import Tally
from bench.load.viewers import Viewer, join
from bench.usage import usage_of

JOIN_AT_ONCE = 20
# When it leaves the bow, and when it lands.
FRAMES_A_SHOT = 2
# How long the last frames may take to come to all.
PATIENCE_S, LOOK_EVERY_S = 10.0, 0.05
# Every so manieth tells how soon it hears of landings; the rest are only counted.
TELLING = 20
API = "api"
LANDED = b'{"type":"shot.landed"'


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
        # Whatever is needed for viewers at all comes with the first few.
        few = min(JOIN_AT_ONCE, self.crowd.viewers // 2)
        await self._join(url, session_id, few)
        before = usage_of(api)[API].memory_mb
        await self._join(url, session_id, self.crowd.viewers)
        grown = usage_of(api)[API].memory_mb - before
        self.tally.viewer_kb = 1024 * grown / max(1, self.crowd.viewers - few)
        if self.crowd.is_one_stalled and self.readers and self._stalled.transport is not None:
            self._stalled.transport.pause_reading()

    async def _join(self, url: str, session_id: str, until: int) -> None:
        last = self.crowd.viewers - 1
        while (there := len(self.viewers)) < until:
            some = range(there, min(there + JOIN_AT_ONCE, until))
            self.viewers += await asyncio.gather(
                *(
                    join(
                        url,
                        session_id,
                        None if n % TELLING else self._hear,
                        has_small_buffer=self.crowd.is_one_stalled and n == last,
                    )
                    for n in some
                )
            )

    @property
    def _stalled(self) -> Viewer:
        return self.viewers[-1]

    @property
    def readers(self) -> Sequence[Viewer]:
        """Those who read."""
        return self.viewers[:-1] if self.crowd.is_one_stalled else self.viewers

    async def note(self) -> None:
        """Count what they were sent, when all have all of it or it took too long."""
        if self.begin is None:
            return
        due, until = FRAMES_A_SHOT * len(self.due), self.begin.elapsed() + PATIENCE_S
        while self._least() < due and self.begin.elapsed() < until:
            await asyncio.sleep(LOOK_EVERY_S)
        tally = self.tally
        tally.frames = sum(viewer.frames for viewer in self.readers)
        tally.frames_least, tally.frames_due = self._least(), due
        last_at = max((viewer.last_at for viewer in self.readers), default=0.0)
        tally.frames_s = frames_s(
            [at for _, at in self.due.values()], last_at - self.begin.monotonic
        )

    def _least(self) -> int:
        return min((viewer.shots for viewer in self.readers), default=0)

    def _hear(self, text: bytes) -> None:
        # What is learned of a shot later is told with its landing, too.
        if self.begin is None or not text.startswith(LANDED):
            return
        if (known := self.due.get(landing_of(text))) is not None:
            phase, due = known
            late_ms = 1000 * (self.begin.elapsed() - due)
            self.tally.crowd_latencies.setdefault(phase, []).append(late_ms)


def frames_s(due: Iterable[float], last_at: float) -> float:
    """Seconds in which frames came: as scheduled, unless the last came later.

    Args:
        due: When each landing is due, seconds after the begin.
        last_at: When the last frame came, seconds after the begin.
    """
    return max(*due, last_at) - ENGAGE_BEFORE_S
