"""How the inbox's lanes stand: looks at them, none of which changes anything."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import batched

from redis.asyncio import Redis

from core.entries import order_of
from core.gate import claim_key, late_lane, stream_key, wake_key

# Whoever waits longer was forgotten: who was to come died on the way.
UNATTENDED_AFTER_MS = 600
# What came late may be many, and is worked off one partition after the other.
LATE_UNATTENDED_AFTER_MS = 15_000

# Which of these streams, counted from 1, hold entries of which the newest is older than ARGV[1] ms
# or the oldest than ARGV[2] ms.
RIPE = """
local clock, ripe = redis.call('TIME'), {}
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local function age(entry)
    return now - tonumber(string.match(entry[1], '^%d+'))
end
for i = 1, #KEYS do
    local newest = redis.call('XREVRANGE', KEYS[i], '+', '-', 'COUNT', 1)[1]
    if newest and (
        age(newest) >= tonumber(ARGV[1])
        or age(redis.call('XRANGE', KEYS[i], '-', '+', 'COUNT', 1)[1]) >= tonumber(ARGV[2])
    ) then
        ripe[#ripe + 1] = i
    end
end
return ripe
"""
# Of a replay more comes soon: a butt's events are done together in a fraction of the time.
QUIET_FOR_MS, RIPE_AFTER_MS = 200, 1_000


@dataclass(frozen=True, slots=True)
class StreamState:
    """How a partition's stream stands.

    Args:
        partition: Which.
        depth: How many entries it holds.
        oldest_ms: When its oldest entry came, milliseconds since the epoch; None: it is empty.
        is_woken: Whether a wake-up is under way.
    """

    partition: int
    depth: int
    oldest_ms: int | None
    is_woken: bool


class Lanes:
    """The partitions' lanes, each a stream: what happens now, and what came late.

    The first has the partition's number, the other is `late_lane`. Whoever is at either holds the
    partition.

    Args:
        valkey: A client that answers bytes.
        partitions: How many there are.
    """

    def __init__(self, valkey: Redis, partitions: int) -> None:
        self._valkey = valkey
        self._ripe = valkey.register_script(RIPE)
        self.partitions = partitions

    def late_lane(self, partition: int) -> int:
        """Where a partition keeps what came late."""
        return late_lane(partition, self.partitions)

    async def late_partitions(self) -> list[int]:
        """Partitions for which something came late, so long ago that no more of it is to be
        expected soon; nobody is told of them."""
        keys = [stream_key(self.late_lane(partition)) for partition in range(self.partitions)]
        said = await self._ripe(keys=keys, args=[QUIET_FOR_MS, RIPE_AFTER_MS])
        return [number - 1 for number in said]

    async def depths(self) -> Mapping[int, int]:
        """How many entries each partition holds, the late ones among them."""
        return {state.partition: state.depth for state in await self.states()}

    async def oldest_ms(self) -> int | None:
        """When the oldest entry came, in milliseconds since the epoch; None: there is none."""
        return _least(state.oldest_ms for state in await self.states())

    async def oldest_of(self, partition: int) -> int | None:
        """As `oldest_ms`, of one partition."""
        async with self._valkey.pipeline(transaction=False) as pipe:
            for lane in (partition, self.late_lane(partition)):
                pipe.xrange(stream_key(lane), count=1)
            return _least(map(_came_ms, await pipe.execute()))

    async def states(self) -> list[StreamState]:
        """How each partition stands."""
        async with self._valkey.pipeline(transaction=False) as pipe:
            for partition in range(self.partitions):
                for lane in (partition, self.late_lane(partition)):
                    pipe.xlen(stream_key(lane))
                    pipe.xrange(stream_key(lane), count=1)
                pipe.exists(wake_key(partition))
            said = await pipe.execute()
        return [
            StreamState(
                partition,
                depth + late_depth,
                _least((_came_ms(first), _came_ms(late_first))),
                bool(woken),
            )
            for partition, (depth, first, late_depth, late_first, woken) in enumerate(
                batched(said, 5)
            )
        ]

    async def unattended(self) -> set[int]:
        """Partitions whose oldest entry waits for longer than it should, and which nobody is told
        of or is at."""
        async with self._valkey.pipeline(transaction=False) as pipe:
            pipe.time()
            for partition in range(self.partitions):
                pipe.xrange(stream_key(partition), count=1)
                pipe.exists(wake_key(partition))
                pipe.xrange(stream_key(self.late_lane(partition)), count=1)
                pipe.exists(claim_key(partition))
            (seconds, micros), *said = await pipe.execute()
        now_ms = seconds * 1_000 + micros // 1_000
        return {
            partition
            for partition, (first, woken, late, claimed) in enumerate(batched(said, 4))
            if _has_waited(first, now_ms - UNATTENDED_AFTER_MS)
            and not woken
            or _has_waited(late, now_ms - LATE_UNATTENDED_AFTER_MS)
            and not claimed
        }


def _has_waited(first: Sequence[tuple[bytes, object]], since_ms: int) -> bool:
    at = _came_ms(first)
    return at is not None and at <= since_ms


def _came_ms(first: Sequence[tuple[bytes, object]]) -> int | None:
    """When the only entry that was read came, milliseconds since the epoch; None: there is none."""
    return order_of(first[0][0])[0] if first else None


def _least(times: Iterable[int | None]) -> int | None:
    return min((at for at in times if at is not None), default=None)
