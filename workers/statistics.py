"""What this worker did, counted in memory and added to everybody's counts now and then."""

from collections import deque
from collections.abc import Iterable, Sequence
from datetime import datetime
from time import monotonic
from uuid import UUID

from redis.asyncio import Redis

from core.done_jobs import KEPT, DoneJob
from core.histogram import bucket
from core.inbox import Entry
from core.roster import Running
from core.schema.inbox import Accepted, AcceptedEvent
from core.schema.types import rfc3339
from core.statistics import DONE, EVENTS, FAILED, LATENCY, RETRIED, TOOK, Tally, add
from core.valkey import LOST

MINUTE_S = 60.0


class Statistics:
    """Counts of one worker process; `done` and `failed` since it started."""

    def __init__(self) -> None:
        self._tally = Tally()
        self._ends: deque[float] = deque(maxlen=100_000)
        self.done_at: dict[str, tuple[datetime, float]] = {}
        self.running: dict[str, Running] = {}
        self.done = 0
        self.failed = 0

    def job_begun(self, job_id: str, function: str, at: datetime) -> None:
        """A job is under way."""
        self.running[job_id] = Running(job_id, function, rfc3339(at))

    def job_ended(self, job_id: str) -> None:
        """It is not, any more, however it ended."""
        self.running.pop(job_id, None)

    def job_done(self, job: DoneJob) -> None:
        """A job ended well."""
        self.done += 1
        self._ended(DONE, job.function, job.duration_ms)
        self._tally.done = [*self._tally.done[1 - KEPT :], job]
        self.done_at[job.function] = (job.started_at, job.duration_ms)

    def job_failed(self, function: str, duration_ms: float) -> None:
        """A job was given up."""
        self.failed += 1
        self._ended(FAILED, function, duration_ms)

    def job_retried(self, function: str, duration_ms: float) -> None:
        """A job will be tried again."""
        self._ended(RETRIED, function, duration_ms)

    def _ended(self, outcome: str, function: str, duration_ms: float) -> None:
        self._tally.totals[outcome] += 1
        self._tally.tasks[f"{outcome}:{function}"] += 1
        self._tally.tasks[f"{TOOK}:{function}:{bucket(duration_ms)}"] += 1
        if outcome == DONE:
            self._ends.append(monotonic())

    def told(self, entries: Iterable[Entry], now_ms: float) -> None:
        """Viewers know what became of these now; each entry's id says when it came."""
        for entry in entries:
            came_ms = int(entry.id.partition(b"-")[0])
            self._tally.totals[f"{LATENCY}:{bucket(now_ms - came_ms)}"] += 1

    def heard(self, accepted: Sequence[Accepted], repeated: Iterable[UUID]) -> None:
        """These came, and of some readers what was known before."""
        events = [each.reader_id for each in accepted if isinstance(each, AcceptedEvent)]
        self._tally.totals[EVENTS] += len(events)
        self._tally.heard.update(events)
        self._tally.repeated.update(repeated)

    def done_per_min(self) -> float:
        """Jobs done in the last minute."""
        since = monotonic() - MINUTE_S
        while self._ends and self._ends[0] < since:
            self._ends.popleft()
        return float(len(self._ends))

    async def flush(self, valkey: Redis, at: datetime) -> None:
        """Add what was counted; while the store is away it is kept for the next time."""
        tally, self._tally = self._tally, Tally()
        try:
            await add(valkey, tally, at)
        except LOST:
            self._restore(tally)

    def _restore(self, tally: Tally) -> None:
        for counts in ("totals", "tasks", "heard", "repeated"):
            getattr(self._tally, counts).update(getattr(tally, counts))
        self._tally.done = [*tally.done, *self._tally.done][-KEPT:]
