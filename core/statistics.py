"""What workers did, counted: a hash per minute for two hours, one per ten minutes for a day.

Each worker adds what it counted every few seconds; nobody waits for it, and reading it reads so
many hashes and no more.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from redis.asyncio import Redis

from core.done_jobs import DoneJob, note_done
from core.histogram import quantile

MINUTE_S = 60
TEN_MINUTES_S = 600
KEEP_MINUTES_FOR_S = 2 * 3600
KEEP_TENS_FOR_S = 25 * 3600
KEEP_READERS_FOR_S = 600

DONE, FAILED, RETRIED, EVENTS = "done", "failed", "retried", "events"
LATENCY = "latency"
TOOK = "took"


@dataclass(slots=True)
class Tally:
    """What was counted and not added yet.

    Args:
        totals: Done, failed and retried jobs, events, and latencies as `latency:<bucket>`.
        tasks: As `<outcome>:<task>` and `took:<task>:<bucket>`.
        heard: Events by reader.
        repeated: Events that were known before, by reader.
        done: Jobs that were done, the oldest first.
    """

    totals: Counter[str] = field(default_factory=Counter)
    tasks: Counter[str] = field(default_factory=Counter)
    heard: Counter[UUID] = field(default_factory=Counter)
    repeated: Counter[UUID] = field(default_factory=Counter)
    done: list[DoneJob] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Span:
    """What was done in a stretch of time.

    Args:
        begin_s: Seconds since the epoch.
        counts: As `Tally.totals`, and for a minute also `Tally.tasks`.
    """

    begin_s: int
    counts: Mapping[str, int]


def _key(kind: str, width_s: int, at_s: float) -> str:
    return f"quiver:{kind}:{width_s}:{int(at_s // width_s) * width_s}"


async def add(valkey: Redis, tally: Tally, at: datetime) -> None:
    """Add what was counted, in one round trip."""
    now = at.timestamp()
    async with valkey.pipeline(transaction=False) as pipe:
        written: list[tuple[str, Mapping[str, int], int]] = [
            (_key("did", MINUTE_S, now), {**tally.totals, **tally.tasks}, KEEP_MINUTES_FOR_S),
            (_key("did", TEN_MINUTES_S, now), tally.totals, KEEP_TENS_FOR_S),
            (_key("heard", MINUTE_S, now), _by_text(tally.heard), KEEP_READERS_FOR_S),
            (_key("repeated", MINUTE_S, now), _by_text(tally.repeated), KEEP_READERS_FOR_S),
        ]
        for key, counts, keep_for_s in written:
            for name, count in counts.items():
                pipe.hincrby(key, name, count)
            if counts:
                pipe.expire(key, keep_for_s)
        note_done(pipe, tally.done)
        await pipe.execute()


def _by_text(counts: Mapping[UUID, int]) -> Mapping[str, int]:
    return {str(reader): count for reader, count in counts.items()}


async def spans(valkey: Redis, width_s: int, count: int, at: datetime) -> list[Span]:
    """The latest stretches of time, the oldest first, that which is under way included.

    Args:
        valkey: A client that answers bytes.
        width_s: `MINUTE_S` or `TEN_MINUTES_S`.
        count: How many.
        at: Now.
    """
    last = int(at.timestamp() // width_s) * width_s
    begins = [last - back * width_s for back in reversed(range(count))]
    async with valkey.pipeline(transaction=False) as pipe:
        for begin in begins:
            pipe.hgetall(_key("did", width_s, begin))
        found = await pipe.execute()
    return [
        Span(begin, {name.decode(): int(value) for name, value in each.items()})
        for begin, each in zip(begins, found, strict=True)
    ]


async def heard(
    valkey: Redis, readers: Sequence[UUID], minutes: int, at: datetime
) -> Mapping[UUID, int]:
    """How many events some readers sent in the latest minutes."""
    if not readers:
        return {}
    names = [str(reader) for reader in readers]
    async with valkey.pipeline(transaction=False) as pipe:
        for back in range(minutes):
            pipe.hmget(_key("heard", MINUTE_S, at.timestamp() - back * MINUTE_S), names)
        found = await pipe.execute()
    sums = (sum(int(each or 0) for each in column) for column in zip(*found, strict=True))
    return dict(zip(readers, sums, strict=True))


async def repeated(valkey: Redis, minutes: int, at: datetime) -> Mapping[UUID, int]:
    """Which readers sent events again in the latest minutes, and how many."""
    async with valkey.pipeline(transaction=False) as pipe:
        for back in range(minutes):
            pipe.hgetall(_key("repeated", MINUTE_S, at.timestamp() - back * MINUTE_S))
        found = await pipe.execute()
    sums: Counter[UUID] = Counter()
    for each in found:
        sums.update({UUID(name.decode()): int(count) for name, count in each.items()})
    return sums


def total(of: Sequence[Span], name: str) -> int:
    """The sum of a count over stretches of time."""
    return sum(span.counts.get(name, 0) for span in of)


def duration_quantile(of: Sequence[Span], kind: str, share: float) -> float | None:
    """Milliseconds that this share of the durations of a kind is below.

    Args:
        of: Stretches of time.
        kind: `latency`, or `took:<task>`.
        share: From 0 to 1.
    """
    places: Counter[int] = Counter()
    prefix = f"{kind}:"
    for span in of:
        for name, count in span.counts.items():
            if name.startswith(prefix):
                places[int(name.removeprefix(prefix))] += count
    return quantile(places, share)
