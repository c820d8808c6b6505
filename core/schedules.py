"""What is done regularly, as the workers say that do it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson
from redis.asyncio import Redis

SCHEDULES = "quiver:schedules"
LAST_RUNS = "quiver:schedules:last"
KEEP_FOR_S = 7 * 86_400

# The latest run of any worker stays, in whichever order they tell.
NOTE_LAST = """
local before = redis.call('HGET', KEYS[1], ARGV[1])
if not before or cjson.decode(before).last_run_at < cjson.decode(ARGV[2]).last_run_at then
    redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
end
redis.call('EXPIRE', KEYS[1], ARGV[3])
"""


@dataclass(frozen=True, slots=True)
class ScheduleSeen:
    """A schedule.

    Args:
        name: What it is called.
        function: The task.
        every: How often, in words.
        last_run_at: When it began last.
        last_duration_ms: How long that took.
        next_run_at: When it is next due.
    """

    name: str
    function: str
    every: str
    last_run_at: datetime | None
    last_duration_ms: float | None
    next_run_at: datetime | None


async def note_schedules(valkey: Redis, seen: Sequence[ScheduleSeen]) -> None:
    """Say which schedules there are, and when this worker ran them last."""
    async with valkey.pipeline(transaction=False) as pipe:
        for each in seen:
            pipe.hset(SCHEDULES, each.name, orjson.dumps(each).decode())
            if each.last_run_at is not None:
                last = {
                    "last_run_at": each.last_run_at.isoformat(timespec="microseconds"),
                    "last_duration_ms": each.last_duration_ms,
                }
                noted = (LAST_RUNS, each.name, orjson.dumps(last).decode(), str(KEEP_FOR_S))
                pipe.eval(NOTE_LAST, 1, *noted)
        pipe.expire(SCHEDULES, KEEP_FOR_S)
        await pipe.execute()


async def select_schedules(valkey: Redis) -> list[ScheduleSeen]:
    """All schedules by their names."""
    async with valkey.pipeline(transaction=False) as pipe:
        pipe.hgetall(SCHEDULES)
        pipe.hgetall(LAST_RUNS)
        stored, lasts = await pipe.execute()
    return [
        _seen(orjson.loads(stored[name]), orjson.loads(lasts.get(name, b"{}")))
        for name in sorted(stored)
    ]


def _seen(said: dict[str, str], last: dict[str, str]) -> ScheduleSeen:
    return ScheduleSeen(
        name=said["name"],
        function=said["function"],
        every=said["every"],
        last_run_at=_instant(last.get("last_run_at")),
        last_duration_ms=float(last["last_duration_ms"]) if last else None,
        next_run_at=_instant(said["next_run_at"]),
    )


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
